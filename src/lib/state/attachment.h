/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attachment: what is pinned for one group, opened; found by a filter. */
#ifndef STATE_ATTACHMENT_H
#define STATE_ATTACHMENT_H

#include "sockets/group_key.h"
#include "state/map_view.h"

struct attachment {
	struct reuseport_key key;
	char text[GROUP_KEY_TEXT_LEN]; /* of the key, for messages */
	char pin[REUSEPORT_PATH_MAX];  /* the directory */
	struct attachment_entry entry; /* as pinned */
	struct steering steering;      /* the program and the maps */
	struct map_view view;
};

/* Start with the key; nothing is open. */
void attachment_init(struct attachment *at, const struct reuseport_key *key);

/*
 * Open the program and the maps that are pinned in at->pin, and read the
 * description. -ENOENT: the program has never been pinned; what else is there is
 * open. -EPROTO: the pins are damaged, or of another ABI version.
 */
int attachment_open_pins(struct attachment *at, struct reuseport_error *err);

/* Map what the description says into memory. */
int attachment_map(struct attachment *at, struct reuseport_error *err);

/* Close what is open. */
void attachment_close(struct attachment *at);

/* Write the description where it is pinned. */
int attachment_write_entry(const struct attachment *at, struct reuseport_error *err);

/* Return whether an attach is under way that has not pinned everything yet. */
bool attachment_is_being_made(const char *pin);

/* Return whether the socket with that cookie is in the slot right now. */
bool attachment_holds(const struct attachment *at, unsigned int slot, uint64_t cookie);

/* Return whether the slot, any number, has a worker whose socket is in it right now. */
bool attachment_has_worker(const struct attachment *at, unsigned int slot);

/* Return whether the filter selects what is pinned in the directory, whose name gives the
 * key "named"; *key receives it completed. */
bool attachment_is_selected(const struct group_key_filter *filter,
			    const struct reuseport_key *named, const char *pin,
			    struct reuseport_key *key);

struct found_attachment {
	struct reuseport_key key;     /* with all that the pins know */
	char pin[REUSEPORT_PATH_MAX]; /* the directory */
};

/* Find all that the filter selects, which may be none; free() the list. */
int attachment_find(const struct reuseport_filter *filter, struct found_attachment **list,
		    size_t *n, struct reuseport_error *err);

/* Open all that the filter selects. -ENOENT: nothing is attached there. -EPROTO:
 * the pins of one are damaged. */
int attachment_open_all(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
			struct reuseport_error *err);
void attachment_close_all(struct attachment *list, size_t n);

/* Fail with -ENOENT: nothing is attached to what the filter selects. */
int attachment_not_found(const struct reuseport_filter *filter, struct reuseport_error *err);

#endif
