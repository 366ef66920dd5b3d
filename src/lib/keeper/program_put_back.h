/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Put back the program of a group that has lost it, beside this process. */
#ifndef KEEPER_PROGRAM_PUT_BACK_H
#define KEEPER_PROGRAM_PUT_BACK_H

#include "keeper/handle.h"

/* Begin to do so if it is due, and go on with it. A program that is there by then stays. To be
 * called in a turn, with the directory of the pins open. */
void program_put_back(struct reuseport_group *group);

#endif
