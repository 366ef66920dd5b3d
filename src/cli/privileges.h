/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Privileges: give up what the command does not need. The library never does that: its
 * caller's capabilities are the caller's own. */
#ifndef CLI_PRIVILEGES_H
#define CLI_PRIVILEGES_H

/* Each has the capabilities of the next ones, too. */
enum privileges {
	PRIVILEGES_LOG,     /* to open --log, where only its owner may write */
	PRIVILEGES_COMMAND, /* to do what a command does */
	PRIVILEGES_KEEPER,  /* to follow the workers */
};

/*
 * Give up for ever to gain privileges by execve(), empty the bounding, ambient and
 * inheritable sets, and keep new files from other users. Then do as privileges_keep() does.
 */
int privileges_start(enum privileges kept);

/* Give up every capability but these. Return an exit status, with a message on failure. */
int privileges_keep(enum privileges kept);

#endif
