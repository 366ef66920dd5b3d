/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* JSON: the one way in which every command prints a document. */
#ifndef CLI_SHOW_JSON_H
#define CLI_SHOW_JSON_H

struct json_t;

/* Return a text that came from outside as a JSON string. */
struct json_t *show_json_text(const char *text);

/* Print the document on standard output, and free it. Return an exit status, with a message
 * on failure. */
int show_json(struct json_t *root);

#endif
