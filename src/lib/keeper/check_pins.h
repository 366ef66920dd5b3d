/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Check pins: whether a group needs this keeper any longer. */
#ifndef KEEPER_CHECK_PINS_H
#define KEEPER_CHECK_PINS_H

#include "keeper/handle.h"

/* Return 0, or -ESHUTDOWN if it does not. If the pins were removed by hand, the program is taken
 * off first. */
int check_pins(struct reuseport_group *group, struct reuseport_error *err);

#endif
