/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The name of an attachment's directory of pins. */
#ifndef STATE_PINS_NAME_H
#define STATE_PINS_NAME_H

#include "sockets/group_key.h"

/* Write "tcp-0_0_0_0-8080-4026531840", with "-dev3", "-v6only" and "-uid33" where they apply.
 * The uid is in the name where the plain one is taken: see state/pin_owner.h. */
void pins_name(const struct reuseport_key *key, char *name, size_t size);
/* Parse such a name. -EINVAL: it is not ours. */
int pins_parse(const char *name, struct reuseport_key *key);

/* Long enough for every name. */
#define PINS_NAME_MAX 128

#endif
