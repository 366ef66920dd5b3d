/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Group keys: compare, print and match the key of a reuseport group. */
#ifndef SOCKETS_GROUP_KEY_H
#define SOCKETS_GROUP_KEY_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Long enough for "udp [address%4294967295]:65535". */
#define GROUP_KEY_TEXT_LEN 96

/* Return whether both are of one group. A key that does not know its uid is of any. */
bool group_key_equal(const struct reuseport_key *a, const struct reuseport_key *b);

/* Return whether all but the uid is equal. */
bool group_key_same_place(const struct reuseport_key *a, const struct reuseport_key *b);

/* Compare two keys for sorting: by namespace, port, protocol, family, address, device, uid. */
int group_key_compare(const struct reuseport_key *a, const struct reuseport_key *b);

/* Do the same, but for the uid. */
int group_key_compare_place(const struct reuseport_key *a, const struct reuseport_key *b);

/* Return "tcp" or "udp". */
const char *group_key_proto_name(int proto);

/* Print the local address alone, e.g. "0.0.0.0" or "::". */
void group_key_addr_text(const struct reuseport_key *key, char *text, size_t size);

/* Print the key for messages, e.g. "tcp 0.0.0.0:8080". */
void group_key_text(const struct reuseport_key *key, char *text, size_t size);

/* Copy a key that a caller made. -EINVAL, -E2BIG: as opts_copy(), or there is none. */
int group_key_copy(struct reuseport_key *key, const struct reuseport_key *from,
		   struct reuseport_error *err);

/* A filter made ready for matching. */
struct group_key_filter {
	struct reuseport_filter want;
	int addr_family; /* of addr; 0: any address */
	uint8_t addr[16];
};

/* Make a filter ready; NULL selects all. -EINVAL: it or its address is malformed. */
int group_key_filter_init(struct group_key_filter *filter, const struct reuseport_filter *from,
			  struct reuseport_error *err);

/* Do the same for a call that works on one port of one network namespace, by default the
 * caller's. -EINVAL: also if it has no port. */
int group_key_filter_place(struct group_key_filter *filter, const struct reuseport_filter *from,
			   const char *what, struct reuseport_error *err);

/* Return whether the filter selects the key. What the filter asks for and the key does not
 * know does not match. */
bool group_key_matches(const struct group_key_filter *filter, const struct reuseport_key *key);

void group_key_from_entry(struct reuseport_key *key, const struct attachment_entry *entry);
void group_key_to_entry(const struct reuseport_key *key, struct attachment_entry *entry);

#endif
