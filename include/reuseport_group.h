/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: a group that is opened before it has members, and sockets that are added to
 * it. Included by reuseport_bpf.h, whose conventions hold here.
 *
 * reuseport_attach() takes sockets out of the processes that hold them. Who makes the sockets, or
 * is sent them over a unix socket (SCM_RIGHTS), adds them instead, by descriptor, and looks into no
 * other process:
 *
 *     REUSEPORT_OPTS(reuseport_key, key, .proto = IPPROTO_TCP, .family = AF_INET, .port = 8080);
 *
 *     ret = reuseport_group__open(&key, NULL, &group, &err);
 *     ...
 *     listen(fd, 128);
 *     slot = reuseport_group__add(group, fd, &err);
 *
 * Then this process keeps the group, as after reuseport_attach(): see reuseport_group__process().
 */
#ifndef REUSEPORT_GROUP_H
#define REUSEPORT_GROUP_H

#include "reuseport_types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct reuseport_attach_opts;

/*
 * Write the key of the group that a TCP or UDP socket with SO_REUSEPORT is in, or will be in. Of a
 * socket that is not bound the port is 0 and the address all zero: set them, and the key is that of
 * the group to come. Needs CAP_NET_ADMIN for a socket of another network namespace, else nothing.
 * -EBADF, -ENOTSOCK: fd is no socket. -EPROTONOSUPPORT: it is neither TCP nor UDP, or has MPTCP.
 * -EINVAL: it has no SO_REUSEPORT.
 */
int reuseport_key_of_socket(int fd, struct reuseport_key *key, struct reuseport_error *err);

/*
 * Steer the group of a key, which may have no member yet, and become its keeper, as
 * reuseport_attach() does; opts are the same. Where pins of the group exist and have no keeper,
 * adopt them. Of the key, proto, family and port are required. Address all zero: the wildcard.
 * netns 0: the caller's. has_uid false: the caller's effective user.
 *
 * The group gets the program with its first member that is added or joins; until then the kernel
 * picks. With CAP_SYS_PTRACE the keeper also takes members that are there, or join without being
 * added, as after reuseport_attach(). Without, it looks into no other process: members that are not
 * added get no slot, which is logged, once.
 *
 * Needs CAP_BPF and CAP_PERFMON, and to be the user who owns the bpffs, or CAP_DAC_OVERRIDE.
 * CAP_NET_ADMIN to be told of binds as they happen, unless the host's hooks are there already;
 * without, sockets are polled, and workers have no socket options. CAP_SYS_ADMIN for another
 * network namespace and to mount bpffs. -EPERM: one is missing. -EINVAL: the key is not complete.
 * Other errors: as of reuseport_attach(), but for -ENOENT.
 */
int reuseport_group__open(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
			  struct reuseport_group **group, struct reuseport_error *err);

/*
 * Do the same for the group of a socket that is bound, whether it listens or not. The socket itself
 * is not added. -EDESTADDRREQ: it is not bound. Other errors: as of the two calls above.
 */
int reuseport_group__open_fd(int fd, const struct reuseport_attach_opts *opts,
			     struct reuseport_group **group, struct reuseport_error *err);

/*
 * Give a socket its slot, and return that. It is one of this process or one that it was sent: a TCP
 * socket that listens, or a UDP socket that is bound, with the address, port, device, user and
 * network namespace of the group. Whose socket may be in the group at all, the kernel decides by
 * the effective user at bind(). The call neither keeps nor closes fd: a copy that stays open keeps
 * a dead worker's socket listening, so close what was sent. A socket that has a slot returns that,
 * whoever gave it. The worker gets work with the next calls of __process.
 *
 * __add_of also notes the process that serves the socket, as the credentials of a unix socket tell
 * it, or 0; __add the calling one. With CAP_SYS_PTRACE the keeper sees by itself who serves.
 *
 * Needs no capability, but before Linux 5.14 CAP_NET_ADMIN in the group's network namespace.
 * -EAGAIN: the TCP socket does not listen yet. -EXDEV: it is not of the group, or not bound.
 * -EISCONN: the UDP socket is connected. -EINVAL: it had no SO_REUSEPORT before bind(). -EBUSY: it
 * is in another program's array or sockmap. -ENOSPC: no slot is free. -EEXIST: the group has
 * another program, and the options of open had no "force". -EPERM: also if the socket is locked
 * with SO_LOCK_FILTER and would be the group's first; or this process does not keep the group.
 * -ESHUTDOWN: the group is being detached. -EBADF, -ENOTSOCK, -EPROTONOSUPPORT: as above.
 */
int reuseport_group__add(struct reuseport_group *group, int fd, struct reuseport_error *err);
int reuseport_group__add_of(struct reuseport_group *group, int fd, uint32_t pid,
			    struct reuseport_error *err);

/* ----------------------------------------------------------------- events */

enum reuseport_event_kind {
	REUSEPORT_EVENT_JOINED = 1,   /* a worker has a slot */
	REUSEPORT_EVENT_READY = 2,    /* it is active: it gets its share */
	REUSEPORT_EVENT_WAITING = 3,  /* it is joining again: it gets nothing until it is ready */
	REUSEPORT_EVENT_DRAINING = 4, /* it gets nothing new: it, or its generation, was drained */
	REUSEPORT_EVENT_DRAINED = 5,  /* and has nothing queued or half open any more */
	REUSEPORT_EVENT_LEFT = 6,     /* its socket has closed, and the slot is free */
	REUSEPORT_EVENT_DETACHED = 7, /* the group is not steered any more, or not kept here: the
				       * last one */
};

struct reuseport_event {
	unsigned int kind;  /* of enum reuseport_event_kind; a later version may have more */
	unsigned int slot;  /* UINT_MAX for "detached", which has no worker */
	uint32_t pid;       /* as in struct reuseport_worker, as far as the keeper knows it */
	unsigned int state; /* after the event, of enum reuseport_worker_state */
	unsigned int generation;
	uint64_t cookie;  /* SO_COOKIE, the worker's identity */
	uint64_t time_ns; /* of CLOCK_BOOTTIME, when the keeper saw it */
	uint64_t lost;    /* events before this one that had no room: the status tells what holds */
};

/* Return an event's kind as text: "joined". */
const char *reuseport_event_name(unsigned int kind);

/*
 * Return the oldest event that was not returned yet, or NULL. It belongs to the handle, until the
 * next call of this. Events are made by __process, and by __detach the last one: read them after
 * each of these calls, from the same thread. They are kept if the group was attached or opened with
 * opts->events; if there is no room for one, the oldest goes.
 *
 * Order: of one worker "joined" is the first, "left" the last; between these comes what changed, by
 * whomever, in the order in which it did. Of different workers, those that __process has seen in
 * one call come by slot. An event comes when the plan that makes it true is in use. Workers that
 * are there when a group is attached or adopted come as "joined", too. What begins and ends between
 * two calls may come as no event. "drained" is looked for about every 50 ms; sticky flows do not
 * count, nor does what is half open if CAP_BPF or CAP_PERFMON is missing. Needs no capability.
 */
const struct reuseport_event *reuseport_group__next_event(struct reuseport_group *group);

#ifdef __cplusplus
}
#endif

#endif
