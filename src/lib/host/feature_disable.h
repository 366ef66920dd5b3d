/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Feature disable: the features that the environment variable REUSEPORT_DISABLE turns off. */
#ifndef HOST_FEATURE_DISABLE_H
#define HOST_FEATURE_DISABLE_H

#include "reuseport_bpf.h"

#define DISABLE_VARIABLE "REUSEPORT_DISABLE"

/* Read them, a bit (1 << enum feature) for each. -EINVAL: the variable has an unknown word. */
int feature_disable_read(unsigned int *disabled, struct reuseport_error *err);

#endif
