// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* JSON: the one way in which every command prints a document. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "show/json.h"

json_t *show_json_text(const char *text)
{
	char *copy = strdup(text);
	json_t *string = copy ? json_string(format_utf8(copy)) : NULL;

	free(copy);
	return string;
}

void show_json(struct json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
}
