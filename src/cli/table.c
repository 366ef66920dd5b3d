// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Table: prints columns as text, by libsmartcols. */
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>

#include "format.h"
#include "table.h"

struct libscols_table *table_new(const struct column *columns, size_t n)
{
	struct libscols_table *table = scols_new_table();

	if (table)
		scols_table_enable_noencoding(table, 1); /* table_cell() does it */
	for (size_t i = 0; table && i < n; i++)
		scols_table_new_column(table, columns[i].name, 0,
				       columns[i].right ? SCOLS_FL_RIGHT : 0);
	return table;
}

void table_hide(struct libscols_table *table, size_t column)
{
	scols_column_set_flags(scols_table_get_column(table, column), SCOLS_FL_HIDDEN);
}

struct libscols_line *table_row(struct libscols_table *table)
{
	return scols_table_new_line(table, NULL);
}

void table_cell(struct libscols_line *line, size_t column, const char *fmt, ...)
{
	char text[256], safe[FORMAT_TEXT_MAX(sizeof(text))];
	va_list args;

	if (!line)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	scols_line_set_data(line, column, format_text(text, safe, sizeof(safe)));
}

void table_print(struct libscols_table *table)
{
	scols_print_table(table);
	scols_unref_table(table);
}
