/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Message: one line on standard error. Everything that goes there goes through here, but
 * for the usage. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include <stdarg.h>

/* Print "reuseportctl: ..." as one line, with format_text(). */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Do the same with "reuseportctl COMMAND: ...". */
void message_of(const char *command, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
