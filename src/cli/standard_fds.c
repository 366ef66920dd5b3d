// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Standard descriptors: 0, 1 and 2 are always open. */
#include <fcntl.h>
#include <unistd.h>

#include "standard_fds.h"

/* Open /dev/null, as the lowest number that is free. Where there is none, as in an empty
 * root directory, a path descriptor serves: it can be neither read nor written. */
static int open_null(int flags)
{
	int fd = open("/dev/null", flags);

	return fd < 0 ? open("/", O_PATH | O_DIRECTORY) : fd;
}

bool standard_fds_open(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDWR };

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open_null(wrong_way[fd]) != fd)
			return false;
	return true;
}

void standard_fds_to_null(void)
{
	/* Closed first: there may be no other number left. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	standard_fds_open();
}
