/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* CHECK() prints one line of TAP; check_end() the plan, and returns the exit status. */
#ifndef API_CHECK_H
#define API_CHECK_H

#include <reuseport_bpf.h>

#include <stdio.h>
#include <string.h>

static int check_tests, check_failures;

#define CHECK(condition)                                                                     \
	do {                                                                                 \
		int held_ = (condition);                                                     \
		check_tests++;                                                               \
		check_failures += !held_;                                                    \
		printf("%s %d - %s:%d %s\n", held_ ? "ok" : "not ok", check_tests, __func__, \
		       __LINE__, #condition);                                                \
	} while (0)

/* A failure says what it is: the same errno, one line. */
static inline int told(int ret, int code, const struct reuseport_error *err)
{
	return ret == -code && err->code == code && *err->text && !strchr(err->text, '\n');
}

static inline int check_end(void)
{
	printf("1..%d\n", check_tests);
	return check_failures != 0;
}

#endif
