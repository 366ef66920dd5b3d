/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attachments: what is pinned, found by a filter and opened. */
#ifndef STATE_ATTACHMENT_H
#define STATE_ATTACHMENT_H

#include "sockets/group_key.h"
#include "state/map_view.h"

struct attachment {
	struct reuseport_key key;
	char pin[REUSEPORT_PATH_MAX];
	char text[GROUP_KEY_TEXT_LEN]; /* of key, for messages */
	struct attachment_entry entry;
	struct steering steering;
	struct mapped mapped;
};

/* Reads the description of an attachment. -EPROTO: of another ABI version, which
 * *version receives. */
int attachment_read_entry(const struct steering *steering, struct attachment_entry *entry,
			  uint32_t *version);

/* Whether an attach is under way that has not pinned all yet. */
bool attachment_is_being_made(const char *pin);

/* The keys of all that the filter selects, which may be none; free() them. */
int attachments_find(const struct reuseport_filter *filter, struct reuseport_key **keys, size_t *n,
		     struct reuseport_error *err);

/* Opens all that the filter selects. -ENOENT: nothing is attached there.
 * -EPROTO: the pins of one are damaged. */
int attachments_open(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
		     struct reuseport_error *err);
/* Whether the slot, any number, has a worker whose socket is in it right now. */
bool attachment_has_worker(const struct attachment *one, unsigned int slot);

void attachments_close(struct attachment *list, size_t n);

/* "nothing is attached to tcp port 80 there", as -ENOENT. */
int attachments_none(const struct reuseport_filter *filter, struct reuseport_error *err);

#endif
