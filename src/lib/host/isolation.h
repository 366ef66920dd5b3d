/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Isolation: how this program starts a process that looks at others, if it can. */
#ifndef HOST_ISOLATION_H
#define HOST_ISOLATION_H

#include "reuseport_isolate.h"

/* Return what was set last, or NULL. */
const struct reuseport_isolation *isolation(void);

#endif
