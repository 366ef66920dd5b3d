// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* JSON: the one way in which every command prints a document. */
#include <jansson.h>
#include <stdio.h>

#include "show/json.h"

void show_json(struct json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
}
