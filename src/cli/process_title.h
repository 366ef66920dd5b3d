/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Process title: what ps shows of a process that is no longer the command that it was. */
#ifndef CLI_PROCESS_TITLE_H
#define CLI_PROCESS_TITLE_H

/* Note where the arguments are. They are not to be used after process_title_set(). */
void process_title_begin(int argc, char **argv);

/* Write the title in their place, as much of it as there is room for. */
void process_title_set(const char *title);

#endif
