/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Capabilities: which one is missing, by name, before anything is tried. */
#ifndef LIB_CAPS_H
#define LIB_CAPS_H

#include "reuseport_bpf.h"

/* What to load, attach and look into other processes takes; for "what" in the
 * message. -EPERM with the missing ones named. */
int caps_require(const char *what, struct reuseport_error *err);

#endif
