/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What /proc knows of one process: its name, and the numbers in its stat file. */
#ifndef HOST_PROC_H
#define HOST_PROC_H

#include <stdbool.h>
#include <stdint.h>

#define PROC_STAT_PARENT 4
#define PROC_STAT_FLAGS 9
#define PROC_STAT_PENDING 31 /* signals, as a mask */
#define PROC_STAT_START 22   /* in clock ticks since boot */

/* Return a field of /proc/PID/stat, numbered as in proc(5), from 4 on; 0 if the
 * process is gone. */
unsigned long long proc_stat(uint32_t pid, int field);

/* Return whether the process is there; false for 0. */
bool proc_lives(uint32_t pid);

/* Read the name of a process, "" if it is gone; text has 16 bytes. */
void proc_comm(uint32_t pid, char text[16]);

/* Read the path of a process's cgroup: of the unified hierarchy or, where it is at the root of
 * that, of systemd's own. Return false if the process is gone, or the path is longer. */
#define PROC_CGROUP_MAX 1024
bool proc_cgroup(uint32_t pid, char path[PROC_CGROUP_MAX]);

#endif
