/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Root lock: the lock on the directory of all attachments, which the host's keeper holds. The
 * host's keeper holds the lock on it (flock), which ends with the process. What it says of itself
 * is pinned in it.
 */
#ifndef STATE_ROOT_LOCK_H
#define STATE_ROOT_LOCK_H

#include "abi.h"
#include "reuseport_bpf.h"

#define ROOT_KEEPER "keeper"       /* a map of one struct keeper_entry */
#define ROOT_SUCCESSOR "successor" /* a directory: asks a keeper that was left behind to end */
#define ROOT_WAKE "wake"           /* a directory, for a moment: there is something to keep */

/* Take the lock, which lasts until every copy of the descriptor is closed. Return 0, -EBUSY if
 * another process has it, or -ENOENT if the directory was removed. */
int root_lock_take(int root);

/* Return whether another process, the host's keeper, holds the lock: 1, 0 or -errno. */
int root_lock_is_held(int root);

/*
 * Note by a lock on "root", the descriptor of the host's keeper, that it keeps the attachment
 * whose directory has that inode, or that it does no longer. Other than a lock on each directory
 * (flock) that takes no descriptor. It ends with the last copy of "root". Return 0 or -errno.
 */
int root_lock_keep(int root, uint64_t inode);
int root_lock_release(int root, uint64_t inode);

/* Return whether the host's keeper keeps it: 1, 0 or -errno. "root" is another descriptor of the
 * directory. */
int root_lock_keeps(int root, uint64_t inode);

/* Pin what the host's keeper says of itself, in place of what another has pinned. Return the
 * map or -errno. */
int root_lock_note_keeper(int root, const struct keeper_entry *entry);

/* Read that, of the last one. Return 0 or -errno. -ENOENT: there was none. */
int root_lock_read_keeper(int root, struct keeper_entry *entry);

/* Have the host's keeper look for attachments that nobody keeps. */
void root_lock_wake(int root);

/* Return whether there is any attachment: 1, 0 or -errno. */
int root_has_attachments(int root);

/* Remove the hooks unless there is an attachment, or the host's keeper is a service. */
void root_tidy_hooks(int root);

/* Do the same, and remove the directory. */
void root_tidy(int root);

/* Do the same as the host's keeper that ends. */
void root_tidy_after_keeper(int root);

/* Do the same by the descriptor of an attachment's directory, which may have been removed. */
void root_tidy_above(int dir);

#endif
