/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Network namespaces: by name, by pid, by inode; entering and leaving them.
 * Nothing here keeps a namespace alive beyond the call: it is looked up anew.
 */
#ifndef HOST_NETNS_H
#define HOST_NETNS_H

#include "reuseport_bpf.h"

struct netns_visit {
	int home; /* fd of the caller's namespace, -1 when it never left */
};

/* Inode of the namespace that fd or path refers to. */
int netns_inode_of(const char *path, uint64_t *inode);

/* A namespace to be found again. */
struct netns_ref {
	uint64_t inode;
	uint64_t cookie;   /* 0: not known; tells it from a later one with the
			    * same inode */
	uint32_t hint_pid; /* a process that is likely to be in it, 0 for none */
};

/* Moves the calling thread into the namespace. -ENETDOWN: it is gone. */
int netns_enter(const struct netns_ref *ref, struct netns_visit *visit,
		struct reuseport_error *err);
void netns_leave(struct netns_visit *visit);

/* Of the namespace that the thread is in; 0 where the kernel has none (5.14). */
uint64_t netns_cookie(void);

/* The name that "ip netns" knows it by, or "". */
void netns_name_of(uint64_t inode, char *name, size_t size);

/* Moves the calling process out of its namespace, so as not to keep it alive. */
void netns_leave_for_good(void);

/*
 * Calls fn with the inode, a name ("" if it has none) and a pid (0 if it has
 * only a name) of each namespace of the host, until fn returns nonzero.
 */
typedef int (*netns_fn)(void *ctx, uint64_t inode, const char *name, uint32_t pid);
int netns_for_each(netns_fn fn, void *ctx);

#endif
