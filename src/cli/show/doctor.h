/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Doctor: findings as text and as JSON. */
#ifndef CLI_SHOW_DOCTOR_H
#define CLI_SHOW_DOCTOR_H

#include <reuseport_doctor.h>

/* The second returns an exit status, with a message on failure. */
void show_doctor_text(const struct reuseport_finding_list *findings);
int show_doctor_json(const struct reuseport_finding_list *findings);

#endif
