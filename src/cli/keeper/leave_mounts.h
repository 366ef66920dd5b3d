/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Leave the mount namespace: a keeper that is left behind must not keep the caller's alive. */
#ifndef CLI_KEEPER_LEAVE_MOUNTS_H
#define CLI_KEEPER_LEAVE_MOUNTS_H

/* Move to the mount namespace of process 1, if the same bpffs is mounted there: the pins are in
 * it. Otherwise stay. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT. */
void leave_mounts(void);

#endif
