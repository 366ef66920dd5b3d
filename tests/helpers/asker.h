/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the files of the helper "asker" share. */
#ifndef TESTS_ASKER_H
#define TESTS_ASKER_H

#include <stdint.h>

/* A socket option of SOL_SOCKET, 0 if the kernel has none. */
uint64_t asker_number(int fd, int option);

/* Do the first of the n words as the keeper, in the maps of the directory "hooks", or print what is
 * there of the socket. Return how many words that were, or -1. */
int asker_keep(const char *hooks, int fd, char **words, int n);

#endif
