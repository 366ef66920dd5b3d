/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Leave limits: those that a caller had set for its own processes. */
#ifndef CLI_KEEPER_LEAVE_LIMITS_H
#define CLI_KEEPER_LEAVE_LIMITS_H

/* Lift the limits that would end a keeper one day, or take from it what it needs. */
void leave_limits(void);

#endif
