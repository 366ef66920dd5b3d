// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Process title: what ps shows of a process that is no longer the command that it was. */
#include <stdio.h>
#include <string.h>

#include "process_title.h"

static char *begin;
static size_t room;

void process_title_begin(int argc, char **argv)
{
	begin = argc ? argv[0] : NULL;
	/* The kernel puts them one behind the other. */
	for (int i = 0; i < argc && argv[i] == begin + room; i++)
		room += strlen(argv[i]) + 1;
}

void process_title_set(const char *title)
{
	if (!room)
		return;
	memset(begin, 0, room);
	snprintf(begin, room, "%s", title);
}
