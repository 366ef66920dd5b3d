/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Network namespaces: find them by name, pid or inode, enter and leave them. Nothing
 * here keeps a namespace alive beyond the call: it is looked up again.
 */
#ifndef HOST_NETNS_H
#define HOST_NETNS_H

#include "reuseport_bpf.h"

#define NETNS_OWN_PATH "/proc/thread-self/ns/net"

struct netns_visit {
	int home; /* fd of the caller's namespace, -1 if it was not left */
};

/* Read the inode of the namespace that the path refers to. Return 0 or -errno. */
int netns_inode_of(const char *path, uint64_t *inode);

/* A namespace that can be found again. */
struct netns_ref {
	uint64_t inode;
	uint64_t cookie;   /* 0: not known; a later namespace with the same inode
			    * has another cookie */
	uint32_t hint_pid; /* a process that is likely to be in it, 0 for none */
};

/*
 * Move the calling thread into the namespace, and back. -ENETDOWN: it is gone: it
 * has no name, and no process that this one may look at is in it. Any other error says
 * nothing of the namespace.
 */
int netns_enter(const struct netns_ref *ref, struct netns_visit *visit,
		struct reuseport_error *err);
void netns_leave(struct netns_visit *visit);

/* Read the cookie of the thread's namespace; 0 if the kernel has none (before 5.14).
 * Return 0 or -errno. */
int netns_cookie(uint64_t *cookie, struct reuseport_error *err);

/* Read the name that "ip netns" has for the namespace, or "". */
void netns_name_of(uint64_t inode, char *name, size_t size);

/*
 * Call fn for each namespace of the host, until fn returns nonzero: with its inode, its
 * name ("" if it has none) and the pid of a process in it (0 if it has a name). Return
 * that value. 0: each was seen, but for those of processes that this one may not look at.
 * Other errors: the rest was not looked at.
 */
typedef int (*netns_fn)(void *ctx, uint64_t inode, const char *name, uint32_t pid);
int netns_for_each(netns_fn fn, void *ctx);

/* Do the same for each name and each process. -ETIMEDOUT: some were not looked at, since a process
 * holds /run/netns or /proc. */
int netns_for_each_place(netns_fn fn, void *ctx);

#endif
