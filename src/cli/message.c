// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Message: one line on standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "message.h"

/* Return "reuseportctl COMMAND: ..." and a newline, safe to print, or NULL when out of
 * memory. */
static char *make_message(const char *command, const char *fmt, va_list args)
{
	char *text = NULL, *safe = NULL, *line = NULL;
	size_t size;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	size = FORMAT_TEXT_MAX(strlen(text));
	safe = malloc(size);
	if (safe && asprintf(&line, "reuseportctl%s%s: %s\n", command ? " " : "",
			     command ? command : "", format_text(text, safe, size)) < 0)
		line = NULL;
	free(safe);
	free(text);
	return line;
}

void message_of(const char *command, const char *fmt, va_list args)
{
	char *line = make_message(command, fmt, args);

	fputs(line ? line : "reuseportctl: out of memory\n", stderr);
	free(line);
}

void message(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_of(NULL, fmt, args);
	va_end(args);
}
