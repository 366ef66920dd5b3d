/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Skip list: the processes that a look has hung at, and that are left alone while they live. */
#ifndef HOST_SKIP_LIST_H
#define HOST_SKIP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKIP_LIST_MAX 64 /* the oldest makes room */

/* Add a process. Return false if it has ended. */
bool skip_list_add(uint32_t pid);

/* Forget those that have ended: another process may have the pid by now. */
void skip_list_forget_ended(void);

/* Return whether the process is on the list. */
bool skip_list_has(uint32_t pid);

/* Return the number of processes that were ever added. */
size_t skip_list_count(void);

/* Write the pids, up to "max". Return their number. */
size_t skip_list_pids(uint32_t *pids, size_t max);

#endif
