/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Errors for people: one line with what failed, why, and what to do. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdbool.h>

#include "reuseport_bpf.h"

/* Fills err, which may be NULL, and returns -code. */
int fail(struct reuseport_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Return whether what a call returned is the -errno of a limit, of the process or the kernel,
 * which says nothing of what the call was about. */
bool error_is_limit(int ret);

#endif
