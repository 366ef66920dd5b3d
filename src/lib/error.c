// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Errors for people: one line with what failed, why, and what to do. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int fail(struct reuseport_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		err->code = code;
		va_start(args, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, args);
		va_end(args);
		/* One line, whatever a user or a process's name had in it. */
		for (char *at = err->text; *at; at++)
			if (iscntrl((unsigned char)*at))
				*at = '?';
	}
	return -code;
}

bool error_is_limit(int ret)
{
	switch (-ret) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EINTR:
		return true;
	default:
		return false;
	}
}
