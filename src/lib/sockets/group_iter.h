/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket iterators: read the kernel's reuseport groups, with their programs. */
#ifndef SOCKETS_GROUP_ITER_H
#define SOCKETS_GROUP_ITER_H

#include "abi.h"
#include "host/netns.h"
#include "reuseport_bpf.h"

struct group_iter;

/* Load the iterators. -EOPNOTSUPP: this process cannot have them, and err says why. Any
 * other error is of a limit, and may pass. Free with group_iter_close. */
int group_iter_open(struct group_iter **reader, struct reuseport_error *err);

/* Use programs that are loaded, and close them in the end, unless this fails: -EOPNOTSUPP if
 * iterators are turned off. group_iter_read_port() needs those of group_iter_open(). */
int group_iter_use(int tcp, int udp, struct group_iter **reader, struct reuseport_error *err);
void group_iter_close(struct group_iter *reader);

struct member_list {
	struct group_member *members;
	size_t n, room;
};

/*
 * Append the members of every group in the thread's network namespace; proto as in a filter.
 * Free list->members with free(). -EOPNOTSUPP: the iterators hang at a socket whose owner holds
 * its lock, or did so a moment ago. The caller does without them.
 */
int group_iter_read(struct group_iter *reader, int proto, struct member_list *list,
		    struct reuseport_error *err);

/* Write the descriptors that group_iter_read() needs, up to 2. Return their number. */
size_t group_iter_fds(const struct group_iter *reader, int *fds);

/* Note that a helper hung in group_iter_read(). */
void group_iter_note_hang(void);

/* Append every socket on one port, member or not, in the order of the kernel's
 * lookup. */
int group_iter_read_port(struct group_iter *reader, int proto, uint16_t port,
			 struct member_list *list, struct reuseport_error *err);

/* Sort the list by cookie; find a member by its cookie in a list that is sorted, or NULL. */
void group_iter_sort(struct member_list *list);
const struct group_member *group_iter_find(const struct member_list *list, uint64_t cookie);

/* The program of a group. */
struct group_program {
	bool present;
	uint32_t id;   /* 0: classic BPF */
	char name[64]; /* "" if it has none */
};

/*
 * Read the program of the group that has the socket with this cookie; reader may be
 * NULL. -ENOENT: no group has it. -EOPNOTSUPP: the kernel has no iterators, or they hang.
 */
int group_iter_program_of(struct group_iter *reader, const struct netns_ref *ns, int proto,
			  uint64_t cookie, struct group_program *program,
			  struct reuseport_error *err);

/* Read the name of a program, "" if it has none or is gone. Return 0 or -errno. */
int group_program_name(uint32_t id, char *name, size_t size);

/* The name of the program in bpf/steer.bpf.c. Whoever loads it has that name: whose it is is
 * told by the pins. */
#define GROUP_PROGRAM_NAME "reuseport_steer"

#endif
