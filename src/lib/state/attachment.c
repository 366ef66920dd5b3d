// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attachment: what is pinned for one group, opened; found by a filter. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "state/attachment.h"
#include "state/attachment_entry.h"
#include "state/pin_owner.h"
#include "state/sockarray.h"

/* How long to wait for an attach that is under way. */
#define MADE_TRIES 250
#define MADE_PAUSE_MS 20

int attachment_write_entry(const struct attachment *at, struct reuseport_error *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(at->steering.maps[MAP_ATTACHMENT], &zero, &at->entry, BPF_ANY))
		return fail(err, errno, "cannot write the description of %s: %s", at->text,
			    strerror(errno));
	return 0;
}

/* ------------------------------------------------------------------- opening */

void attachment_init(struct attachment *at, const struct reuseport_key *key)
{
	*at = (struct attachment){ .key = *key, .steering = STEERING_NONE, .view = MAP_VIEW_NONE };
	group_key_text(key, at->text, sizeof(at->text));
}

static int attachment_damaged(const struct attachment *at, struct reuseport_error *err)
{
	return fail(err, EPROTO, "the pins in %s are damaged: detach, then attach again", at->pin);
}

/* The program is pinned last: without it an attach was killed half-way. */
static bool attachment_is_incomplete(const struct attachment *at)
{
	char path[REUSEPORT_PATH_MAX + 32];

	return at->steering.program < 0 &&
	       access(pins_join(at->pin, PIN_PROGRAM, path, sizeof(path)), F_OK);
}

int attachment_open_pins(struct attachment *at, struct reuseport_error *err)
{
	int opened = steering_open(&at->steering, at->pin), ret;
	uint32_t version;

	if (attachment_is_incomplete(at)) {
		attachment_damaged(at, err);
		return -ENOENT;
	}
	ret = attachment_entry_read(&at->steering, &at->entry, &version);
	if (ret == -EPROTO && version)
		return fail(err, EPROTO,
			    "the pins in %s are of ABI version %u, this is version %u: "
			    "detach, then attach again",
			    at->pin, version, REUSEPORT_ABI_VERSION);
	if (opened || ret || !steering_fits(&at->steering, &at->entry))
		return attachment_damaged(at, err);
	return 0;
}

int attachment_map(struct attachment *at, struct reuseport_error *err)
{
	struct steering_size size = steering_size_of(&at->entry);
	int ret = map_view_open(&at->view, &at->steering, &size);

	if (ret)
		return fail(err, -ret, "cannot map the tables of %s into memory: %s", at->text,
			    strerror(-ret));
	return 0;
}

void attachment_close(struct attachment *at)
{
	map_view_close(&at->view);
	steering_close(&at->steering);
}

/* ---------------------------------------------------------------- the workers */

bool attachment_holds(const struct attachment *at, unsigned int slot, uint64_t cookie)
{
	return sockarray_holds(at->steering.maps[MAP_SOCKETS], slot, cookie);
}

bool attachment_has_worker(const struct attachment *at, unsigned int slot)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	return slot < at->view.size.slots && entry->state != WORKER_FREE &&
	       attachment_holds(at, slot, entry->cookie);
}

/* ------------------------------------------------------------------- finding */

bool attachment_is_selected(const struct group_key_filter *filter,
			    const struct reuseport_key *named, const char *pin,
			    struct reuseport_key *key)
{
	struct group_key_filter by_name = *filter;

	/* The directory's name says all but these. */
	by_name.want.has_uid = false;
	by_name.want.netns_cookie = 0;
	if (!group_key_matches(&by_name, named))
		return false;
	pin_owner_read(pin, named, key);
	return group_key_matches(filter, key);
}

struct finding {
	struct group_key_filter filter;
	struct reuseport_error *err;
	struct found_attachment *list;
	size_t n;
};

static int attachment_add_found(void *ctx, const char *path, const struct reuseport_key *named)
{
	struct finding *all = ctx;
	struct found_attachment *grown;
	struct reuseport_key key;

	if (!attachment_is_selected(&all->filter, named, path, &key))
		return 0;
	grown = realloc(all->list, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return fail(all->err, ENOMEM, "out of memory");
	all->list = grown;
	grown[all->n].key = key;
	snprintf(grown[all->n++].pin, sizeof(grown->pin), "%s", path);
	return 0;
}

int attachment_find(const struct reuseport_filter *filter, struct found_attachment **list,
		    size_t *n, struct reuseport_error *err)
{
	struct finding all = { .err = err };
	int ret = group_key_filter_init(&all.filter, filter, err);

	if (!ret)
		ret = pins_for_each(attachment_add_found, &all, err);
	if (ret) {
		free(all.list);
		return ret;
	}
	*list = all.list;
	*n = all.n;
	return 0;
}

/* ------------------------------------------------------------- by a filter */

bool attachment_is_being_made(const char *pin)
{
	char path[REUSEPORT_PATH_MAX + 32];

	return !access(pins_join(pin, PIN_ATTACHING, path, sizeof(path)), F_OK) && pins_locked(pin);
}

static int attachment_open_when_made(struct attachment *at, const struct found_attachment *found,
				     struct reuseport_error *err)
{
	int ret;

	attachment_init(at, &found->key);
	snprintf(at->pin, sizeof(at->pin), "%s", found->pin);
	for (int tries = 0; attachment_is_being_made(at->pin); tries++) {
		if (tries == MADE_TRIES)
			return fail(err, EBUSY, "%s is being attached right now: try again",
				    at->text);
		clock_sleep_ms(MADE_PAUSE_MS);
	}
	ret = attachment_open_pins(at, err);
	/* -ENOENT would mean that nothing is attached. */
	if (ret)
		return ret == -ENOENT ? attachment_damaged(at, err) : ret;
	return attachment_map(at, err);
}

int attachment_open_all(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
			struct reuseport_error *err)
{
	struct found_attachment *found = NULL;
	struct attachment *all;
	size_t count = 0, opened = 0;
	int ret = attachment_find(filter, &found, &count, err);

	if (ret)
		return ret;
	if (!count)
		return attachment_not_found(filter, err);
	all = calloc(count, sizeof(*all));
	if (!all)
		ret = fail(err, ENOMEM, "out of memory");
	while (!ret && opened < count) {
		ret = attachment_open_when_made(&all[opened], &found[opened], err);
		opened++;
	}
	free(found);
	if (ret) {
		attachment_close_all(all, opened);
		return ret;
	}
	*list = all;
	*n = count;
	return 0;
}

int attachment_not_found(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	return fail(err, ENOENT,
		    "nothing is attached to %s port %u there: the status shows what is "
		    "attached, and where",
		    filter->proto ? group_key_proto_name(filter->proto) : "tcp or udp",
		    filter->port);
}

void attachment_close_all(struct attachment *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		attachment_close(&list[i]);
	free(list);
}
