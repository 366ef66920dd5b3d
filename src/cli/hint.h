/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Hints: the option or command that does what a message of the library asks for. */
#ifndef CLI_HINT_H
#define CLI_HINT_H

/* Return " (--slots N)", or "" if the text asks for nothing that has an option. */
const char *hint_for(const char *text);

#endif
