// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Exit: the exit statuses of every command, and what each means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "hint.h"
#include "message.h"

/* Report once that standard output took not everything. Return EXIT_FAILED. */
static int exit_unwritten(void)
{
	static bool reported;

	if (!reported)
		message("cannot write to standard output: %s", strerror(errno ? errno : EIO));
	reported = true;
	return EXIT_FAILED;
}

int exit_written(void)
{
	errno = 0;
	return fflush(stdout) || ferror(stdout) ? exit_unwritten() : EXIT_DONE;
}

int exit_closed(int status)
{
	if (exit_written() != EXIT_DONE)
		return EXIT_FAILED;
	/* Some file systems report only now that there is no room. */
	if (fclose(stdout))
		return exit_unwritten();
	return status == EXIT_DONE && ferror(stderr) ? EXIT_FAILED : status;
}

int exit_failed(const struct reuseport_error *error)
{
	message("%s%s", error->text, hint_for(error->text));
	return error->code == ENOENT ? EXIT_NO_MATCH : EXIT_FAILED;
}

int exit_no_memory(void)
{
	message("out of memory");
	return EXIT_FAILED;
}

int exit_refused(const struct reuseport_error *error)
{
	int status = exit_failed(error);

	return error->code == EINVAL ? EXIT_USAGE : status;
}
