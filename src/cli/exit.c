// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Exit: the exit statuses of every command, and what each means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "hint.h"

int exit_written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_FAILED;
}

int exit_failed(const struct reuseport_error *error)
{
	fprintf(stderr, "reuseportctl: %s%s\n", error->text, hint_for(error->text));
	return error->code == ENOENT ? EXIT_NO_MATCH : EXIT_FAILED;
}

int exit_no_memory(void)
{
	fprintf(stderr, "reuseportctl: out of memory\n");
	return EXIT_FAILED;
}

int exit_refused(const struct reuseport_error *error)
{
	int status = exit_failed(error);

	return error->code == EINVAL ? EXIT_USAGE : status;
}
