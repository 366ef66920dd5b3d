/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Slot sockets: read, of the sockets in the slots of an attachment, SO_INCOMING_CPU and what waits
 * at them. It waits for no other process. What reads them is loaded once for all attachments of
 * this process, when the first one asks, and as long as one is open.
 */
#ifndef STATE_SLOT_SOCKETS_H
#define STATE_SLOT_SOCKETS_H

#include "abi.h"

/* An attachment is opened, and closed. */
void slot_sockets_hold(void);
void slot_sockets_drop(void);

/*
 * Read the sockets in the first n slots of the map "sockets". Where this kernel cannot tell, or
 * does not permit it, return -errno; each of the list has cpu -1 and no waiters then, as an empty
 * slot has.
 */
int slot_sockets_read(int sockets_map, struct slot_socket *list, unsigned int n);

#endif
