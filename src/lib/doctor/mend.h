/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Mend: command lines that are about one group. */
#ifndef DOCTOR_MEND_H
#define DOCTOR_MEND_H

#include "doctor/scene.h"

/* Set what mends a finding about a group: "reuseportctl COMMAND", the options that select the
 * group, and the rest of the line. */
void mend_command(const struct scene *scene, struct finding *finding, const char *command,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Put before the command that is set that a process is killed. */
void mend_kill_first(struct finding *finding, uint32_t pid);

/* Set what mends it to "sysctl -w NAME=VALUE", in the group's network namespace. pid: of a
 * process in there, 0 if none is known. */
void mend_sysctl(struct finding *finding, uint32_t pid, const char *name, uint64_t value);

#endif
