/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* /proc/PID/stat: one number of it. */
#ifndef HOST_PROC_H
#define HOST_PROC_H

#include <stdint.h>

#define PROC_STAT_PARENT 4
#define PROC_STAT_START 22 /* in clock ticks since boot */

/* Numbered as in proc(5), from 4 on; 0 if the process is gone. */
unsigned long long proc_stat(uint32_t pid, int field);

#endif
