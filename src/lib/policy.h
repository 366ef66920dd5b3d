/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policies: their names, and the nearest name to a mistyped one. */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include "reuseport_bpf.h"

#define POLICY_DEFAULT "hash"

/* -EINVAL with a suggestion if there is no such policy. */
int policy_check(const char *name, struct reuseport_error *err);

#endif
