/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Table: columns for people, by libsmartcols. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_table;

struct column {
	const char *name;
	bool right; /* numbers */
};

/* NULL when out of memory. */
struct libscols_table *table_new(const struct column *columns, size_t n);

/* Of a table without rows: this column is not printed. */
void table_hide(struct libscols_table *table, size_t column);

/* Appends a row of as many printf-formatted cells as table_cell is called for. */
struct libscols_line *table_row(struct libscols_table *table);
void table_cell(struct libscols_line *line, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints and frees it. */
void table_print(struct libscols_table *table);

#endif
