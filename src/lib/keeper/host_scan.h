/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Host scan: which attachments the host's keeper keeps. */
#ifndef KEEPER_HOST_SCAN_H
#define KEEPER_HOST_SCAN_H

#include "keeper/host_state.h"

/* Look through the root directory: adopt what nobody keeps, and forget what is gone. It takes
 * HOST_SCAN_MS and one adoption at most; it is due again if there is more. */
#define HOST_SCAN_MS 5
void host_scan(struct reuseport_keeper *keeper);

/* Stop keeping an attachment. */
void host_scan_release(struct host_entry *entry);

/* Return whether another file system covers the pins, or theirs was unmounted, seen a second ago
 * at most. No command reaches them then: the keeper goes on as long as its groups have their
 * programs and workers, but puts no program back, and adopts nothing. */
bool host_scan_is_hidden(struct reuseport_keeper *keeper);

#endif
