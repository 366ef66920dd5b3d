// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* JSON: the one way in which every command prints a document. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "format.h"
#include "show/json.h"

json_t *show_json_text(const char *text)
{
	char *copy = strdup(text);
	json_t *string = copy ? json_string(format_utf8(copy)) : NULL;

	free(copy);
	return string;
}

/* Write a part of a document. jansson escapes what JSON demands, and DEL is not of that;
 * outside of strings there is none. */
static int write_json(const char *part, size_t len, void *file)
{
	for (size_t i = 0; i < len; i++)
		if (part[i] == 0x7f)
			fputs("\\u007f", file);
		else
			putc(part[i], file);
	return ferror(file) ? -1 : 0;
}

int show_json(struct json_t *root)
{
	/* In ASCII: whatever a name has in it, a terminal shows the document as it is. */
	bool dumped = root &&
		      !json_dump_callback(root, write_json, stdout,
					  JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

	putchar('\n');
	json_decref(root);
	if (exit_written() != EXIT_DONE)
		return EXIT_FAILED;
	return dumped ? EXIT_DONE : exit_no_memory();
}
