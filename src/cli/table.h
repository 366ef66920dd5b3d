/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Table: prints columns as text, by libsmartcols. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_table;

struct column {
	const char *name;
	bool right; /* aligned to the right, as numbers are */
};

/* Return an empty table, or NULL when out of memory. */
struct libscols_table *table_new(const struct column *columns, size_t n);

/* Do not print this column. The table must not have rows yet. */
void table_hide(struct libscols_table *table, size_t column);

/* Append an empty row. */
struct libscols_line *table_row(struct libscols_table *table);

/* Set a cell of the row, with format_text(): cells can have any byte in them. */
void table_cell(struct libscols_line *line, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Print the table, and free it. */
void table_print(struct libscols_table *table);

#endif
