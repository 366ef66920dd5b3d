/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* File descriptors that may be absent, which is -1. */
#ifndef FD_H
#define FD_H

#include <unistd.h>

static inline void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

#endif
