/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policies: what the library takes when none is named. */
#ifndef LIB_POLICY_H
#define LIB_POLICY_H

#include "reuseport_bpf.h"

#define POLICY_DEFAULT "hash"

#endif
