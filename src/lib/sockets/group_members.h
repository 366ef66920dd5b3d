/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Group members: the sockets of one group and the program that it has, as the kernel knows
 * them. A key alone does not say which sockets share a group: one with SO_REUSEADDR alone has
 * the same key.
 */
#ifndef SOCKETS_GROUP_MEMBERS_H
#define SOCKETS_GROUP_MEMBERS_H

#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"

struct group_members {
	/* As read, both sorted by cookie: the sockets on the port, and the members of every
	 * group of the protocol in the namespace. */
	struct sock_diag_list on_port;
	struct member_list kernel;
	bool known; /* by socket iterators; else the next two are a guess by the key */

	/* As chosen: */
	struct sock_diag_list sockets; /* of the group, sorted by cookie */
	struct group_program program;  /* if known */
	size_t on_key;                 /* sockets that have the key, in the group or not */
	bool several_uids;             /* the key has no uid, and the groups are of several */
};

/*
 * Read and choose the group of a key. A reader that is NULL stands for a kernel without
 * iterators. Free with group_members_free().
 */
int group_members_read(const struct reuseport_key *key, const struct netns_ref *ns,
		       struct group_iter *reader, uint32_t program_id,
		       struct group_members *members, struct reuseport_error *err);
void group_members_free(struct group_members *members);

/* Read the sockets on the port of a key, 0: on any port, and choose nothing. Of the key, only
 * namespace, protocol and port count. */
int group_members_read_port(const struct reuseport_key *key, const struct netns_ref *ns,
			    struct group_iter *reader, struct group_members *members,
			    struct reuseport_error *err);

/*
 * Choose the group of a key among what was read. Of several, which sockets that leave a group
 * and return can make, it is the one with the program of that id (0: none), else the one with
 * the most members. Return 0 or -errno.
 */
int group_members_choose(const struct reuseport_key *key, uint32_t program_id,
			 struct group_members *members);

#endif
