/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keys: what names a reuseport group; comparing, printing, matching. */
#ifndef SOCKETS_GROUP_KEY_H
#define SOCKETS_GROUP_KEY_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Long enough for "udp [address%4294967295]:65535". */
#define KEY_TEXT_LEN 96

bool key_equal(const struct reuseport_key *a, const struct reuseport_key *b);

/* For sorting: by namespace, port, protocol, family, address. */
int key_compare(const struct reuseport_key *a, const struct reuseport_key *b);

/* "tcp" or "udp". */
const char *key_proto_name(int proto);

/* The local address alone, e.g. "0.0.0.0" or "::". */
void key_addr_text(const struct reuseport_key *key, char *text, size_t size);

/* For messages: "tcp 0.0.0.0:8080". */
void key_text(const struct reuseport_key *key, char *text, size_t size);

/*
 * A filter made ready for matching. -EINVAL: the address is malformed.
 */
struct key_filter {
	struct reuseport_key key;
	bool has_addr;
};
int key_filter_init(struct key_filter *filter, const struct reuseport_filter *from,
		    struct reuseport_error *err);
bool key_matches(const struct key_filter *filter, const struct reuseport_key *key);

void key_from_attachment(struct reuseport_key *key, const struct attachment_entry *entry);
void key_to_attachment(const struct reuseport_key *key, struct attachment_entry *entry);

#endif
