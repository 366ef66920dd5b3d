/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Process: what /proc knows of the processes of workers. It is read in a helper (host/look.h). */
#ifndef DOCTOR_PROCESS_H
#define DOCTOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process_facts {
	uint32_t pid;
	char state;        /* 'T': stopped; '\0': nothing is known */
	uint64_t switches; /* context switches of its threads so far */
	char exe[200];     /* its executable, or "" */
	char cgroup[200];  /* in the unified hierarchy, or "" */
};

/* Read the facts of n processes, whose pids are set. What cannot be read is left empty. */
void process_facts_read(struct process_facts *facts, size_t n);

/* Return whether a process is known to be stopped (SIGSTOP, or by a tracer). */
bool process_is_stopped(uint32_t pid);

#endif
