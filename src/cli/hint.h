/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Hints: the option or command that does what a message of the library asks for. */
#ifndef CLI_HINT_H
#define CLI_HINT_H

#include "options.h"

/* Note the options of the command, which hints repeat; NULL: it has ended. */
void hint_begin(const struct options *options);

/* Return " (--slots N)", valid until the next call, or "" if the text asks for nothing that has an
 * option. */
const char *hint_for(const char *text);

#define HINT_PLACE_MAX 512

/* Write the options that say what a command is about, as they were given: " --port 8080 --proto
 * udp". */
void hint_place(const struct options *options, char place[HINT_PLACE_MAX]);

#endif
