/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attachment: what is pinned for one group, opened; found by a filter. */
#ifndef STATE_ATTACHMENT_H
#define STATE_ATTACHMENT_H

#include "sockets/group_key.h"
#include "state/map_view.h"
#include "state/pins.h"

struct attachment {
	struct reuseport_key key;
	char text[GROUP_KEY_TEXT_LEN]; /* of the key, for messages */
	char pin[REUSEPORT_PATH_MAX];  /* path of the directory, for messages */
	int dir;                       /* the directory, -1: not open; a keeper's holds its lock */
	struct attachment_entry entry; /* as pinned */
	struct steering steering;      /* the program and the maps */
	struct map_view view;
	bool held; /* among those that may use slot_sockets.h */
};

/* Start with the key; nothing is open. */
void attachment_init(struct attachment *at, const struct reuseport_key *key);

/*
 * Open the program and the maps that are pinned in at->dir, and read the
 * description. -ENOENT: the program has never been pinned; what else is there is
 * open. -EPROTO: the pins are damaged, or of another ABI version, also of one that an attach
 * carries over. Any other error says nothing of the pins.
 */
int attachment_open_pins(struct attachment *at, struct reuseport_error *err);

/* Map what the description says into memory. */
int attachment_map(struct attachment *at, struct reuseport_error *err);

/* Close what is open. */
void attachment_close(struct attachment *at);

/* Write the description where it is pinned. */
int attachment_write_entry(const struct attachment *at, struct reuseport_error *err);

/* Return whether an attach is under way in the directory that has not pinned everything
 * yet: 1, 0 or -errno. */
int attachment_is_being_made(int dir);

/* Return whether the socket with that cookie is in the slot right now. */
bool attachment_holds(const struct attachment *at, unsigned int slot, uint64_t cookie);

/* Return how many slots there are up to the last one that is not free. */
unsigned int attachment_slots_used(const struct attachment *at);

/* Return whether the slot, any number, has a worker whose socket is in it right now. */
bool attachment_has_worker(const struct attachment *at, unsigned int slot);

/*
 * Return whether the filter selects what is pinned there: 1, 0 or -errno. *key receives the
 * key, completed. A directory that is not safe to use is judged by its name alone.
 */
int attachment_is_selected(const struct group_key_filter *filter, const struct pins_entry *pinned,
			   struct reuseport_key *key, struct reuseport_error *err);

struct found_attachment {
	struct reuseport_key key;     /* with all that the pins know */
	char pin[REUSEPORT_PATH_MAX]; /* the directory */
};

/*
 * Find all that the filter selects, which may be none; free() the list. Directories that are
 * not safe to use are left out; refused, which may be NULL, says why, of one of them, or has
 * the code 0.
 */
int attachment_find(const struct reuseport_filter *filter, struct found_attachment **list,
		    size_t *n, struct reuseport_error *refused, struct reuseport_error *err);

/* Open all that the filter selects. -ENOENT: nothing is attached there. -EPROTO:
 * the pins of one are damaged. -EPERM: there are directories, but none is safe to use. */
int attachment_open_all(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
			struct reuseport_error *err);

/* Do the same to change them. -EINVAL: also if two differ in their uid only, so that the caller
 * must name it. */
int attachment_open_to_change(const struct reuseport_filter *filter, struct attachment **list,
			      size_t *n, struct reuseport_error *err);
void attachment_close_all(struct attachment *list, size_t n);

/* Fail with -ENOENT: nothing is attached to what the filter selects. */
int attachment_not_found(const struct reuseport_filter *filter, struct reuseport_error *err);

#endif
