/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Group snapshot: the members of many groups. The sockets of a namespace and a protocol are
 * read once, when the first group there asks for them.
 */
#ifndef SOCKETS_GROUP_SNAPSHOT_H
#define SOCKETS_GROUP_SNAPSHOT_H

#include "sockets/group_members.h"

struct group_snapshot {
	struct group_iter *reader;   /* NULL: a kernel without iterators */
	uint16_t port;               /* the only one that is asked for; 0: any */
	struct snapshot_part *parts; /* of one namespace and protocol each */
	size_t n;
	struct snapshot_place *places; /* of namespaces; found once there are several */
	size_t n_places;
	bool placed;
};

/*
 * Choose the group of a key, as group_members_read() does, and report whether its sockets were
 * read just now: those of an earlier group's reading may have changed. Only members->sockets,
 * ->program, ->known, ->on_key and ->several_uids are filled. Free with group_members_free().
 */
int group_snapshot_members(struct group_snapshot *snapshot, const struct reuseport_key *key,
			   const struct netns_ref *ns, uint32_t program_id,
			   struct group_members *members, bool *fresh, struct reuseport_error *err);

/* Call fn for each socket on the port of a key, as they were read for that one's group, that is
 * a member of another group, without any program; for none where the kernel does not tell. Stop
 * when fn returns nonzero, and return that. */
int group_snapshot_for_each_plain(const struct group_snapshot *snapshot,
				  const struct reuseport_key *key, const struct netns_ref *ns,
				  int (*fn)(void *ctx, const struct reuseport_key *key), void *ctx);

/* Have the sockets of that namespace and protocol read again when they are asked for next. */
void group_snapshot_forget(struct group_snapshot *snapshot, const struct reuseport_key *key);

/* Free what was read. */
void group_snapshot_free(struct group_snapshot *snapshot);

#endif
