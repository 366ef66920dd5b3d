/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Groups as the kernel has them, with their programs: socket iterators. */
#ifndef SOCKETS_GROUP_ITER_H
#define SOCKETS_GROUP_ITER_H

#include "abi.h"
#include "host/netns.h"
#include "reuseport_bpf.h"

struct group_iter_bpf;

/* -EOPNOTSUPP: there are no iterators for this process, and err says why. Free with
 * group_iter_close. */
int group_iter_open(struct group_iter_bpf **reader, struct reuseport_error *err);
void group_iter_close(struct group_iter_bpf *reader);

struct member_list {
	struct group_member *members;
	size_t n, room;
};

/* Appends the members of every group in the thread's network namespace;
 * proto as in a filter. Free list->members with free(). */
int group_iter_read(struct group_iter_bpf *reader, int proto, struct member_list *list,
		    struct reuseport_error *err);

/* The same with every socket of one port, members or not, in the order in
 * which the kernel's lookup meets them. */
int group_iter_read_port(struct group_iter_bpf *reader, int proto, uint16_t port,
			 struct member_list *list, struct reuseport_error *err);

/* What the group of some sockets has for a program. */
struct group_program {
	bool present;
	uint32_t id;   /* 0: classic BPF */
	char name[64]; /* "" if it has none */
};

/*
 * The program of the group that has the socket with this cookie; reader may be
 * NULL. -ENOENT: no group has. -EOPNOTSUPP: the kernel has no iterators.
 */
int group_iter_program_of(struct group_iter_bpf *reader, const struct netns_ref *ns, int proto,
			  uint64_t cookie, struct group_program *program,
			  struct reuseport_error *err);

/* Name of a program, "" if there is none to be had. */
void group_program_name(uint32_t id, char *name, size_t size);

/* Whether a program of that name is one of bpf/steer.bpf.c. */
bool group_program_is_ours(const char *name);

#endif
