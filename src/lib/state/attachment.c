// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attachment: what is pinned for one group, opened; found by a filter. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "state/attachment.h"
#include "state/attachment_entry.h"
#include "state/pin_dir.h"
#include "state/pin_owner.h"
#include "state/slot_sockets.h"
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
	*at = (struct attachment){
		.key = *key, .steering = STEERING_NONE, .view = MAP_VIEW_NONE, .dir = -1
	};
	group_key_text(key, at->text, sizeof(at->text));
}

static int attachment_damaged(const struct attachment *at, struct reuseport_error *err)
{
	return fail(err, EPROTO, "the pins in %s are damaged: detach, then attach again", at->pin);
}

static int attachment_cannot_open(const struct attachment *at, int code,
				  struct reuseport_error *err)
{
	return fail(err, code, "cannot open the pins in %s: %s", at->pin, strerror(code));
}

/* The program is pinned last: without it an attach was killed half-way. Return 1, 0 or
 * -errno. */
static int attachment_is_incomplete(const struct attachment *at)
{
	int has = at->steering.program < 0 ? pin_dir_has(at->dir, PIN_PROGRAM) : 1;

	return has < 0 ? has : !has;
}

int attachment_open_pins(struct attachment *at, struct reuseport_error *err)
{
	int opened = steering_open(&at->steering, at->dir), ret;
	uint32_t version;

	if (opened && opened != -ENOENT)
		return attachment_cannot_open(at, -opened, err);
	ret = attachment_is_incomplete(at);
	if (ret < 0)
		return attachment_cannot_open(at, -ret, err);
	if (ret) {
		attachment_damaged(at, err);
		return -ENOENT;
	}
	ret = attachment_entry_read(&at->steering, &at->entry, &version);
	if (ret && ret != -EPROTO)
		return attachment_cannot_open(at, -ret, err);
	if (!ret && version != REUSEPORT_ABI_VERSION)
		return fail(err, EPROTO,
			    "the pins in %s are of ABI version %u, this is version %u: attach to "
			    "carry them over",
			    at->pin, version, REUSEPORT_ABI_VERSION);
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
	if (!at->held)
		slot_sockets_hold();
	at->held = true;
	return 0;
}

void attachment_close(struct attachment *at)
{
	if (at->held)
		slot_sockets_drop();
	at->held = false;
	map_view_close(&at->view);
	steering_close(&at->steering);
	/* Last: a keeper's holds its lock. */
	fd_close(at->dir);
	at->dir = -1;
}

/* ---------------------------------------------------------------- the workers */

bool attachment_holds(const struct attachment *at, unsigned int slot, uint64_t cookie)
{
	return sockarray_holds(at->steering.maps[MAP_SOCKETS], slot, cookie);
}

unsigned int attachment_slots_used(const struct attachment *at)
{
	unsigned int n = at->view.size.slots;

	while (n && at->view.workers[n - 1].state == WORKER_FREE)
		n--;
	return n;
}

bool attachment_has_worker(const struct attachment *at, unsigned int slot)
{
	const struct worker_entry *entry = &at->view.workers[slot];

	return slot < at->view.size.slots && entry->state != WORKER_FREE &&
	       attachment_holds(at, slot, entry->cookie);
}

/* ------------------------------------------------------------------- finding */

int attachment_is_selected(const struct group_key_filter *filter, const struct pins_entry *pinned,
			   struct reuseport_key *key, struct reuseport_error *err)
{
	struct group_key_filter by_name = *filter;
	int ret;

	/* The directory's name says all but these. */
	by_name.want.has_uid = false;
	by_name.want.netns_cookie = 0;
	*key = *pinned->named;
	if (!group_key_matches(&by_name, key))
		return 0;
	if (pinned->dir < 0)
		return 1;
	ret = pin_owner_read(pinned->dir, pinned->path, pinned->named, key, err);
	return ret ? ret : group_key_matches(filter, key);
}

struct finding {
	struct group_key_filter filter;
	struct reuseport_error *refused, *err;
	struct found_attachment *list;
	size_t n;
};

static int attachment_add_found(void *ctx, const struct pins_entry *pinned)
{
	struct finding *all = ctx;
	struct found_attachment *grown;
	struct reuseport_key key;
	int ret = attachment_is_selected(&all->filter, pinned, &key, all->err);

	if (ret <= 0)
		return ret;
	if (pinned->dir < 0) {
		if (all->refused)
			*all->refused = *pinned->refusal;
		return 0;
	}
	grown = realloc(all->list, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return fail(all->err, ENOMEM, "out of memory");
	all->list = grown;
	grown[all->n].key = key;
	snprintf(grown[all->n++].pin, sizeof(grown->pin), "%s", pinned->path);
	return 0;
}

int attachment_find(const struct reuseport_filter *filter, struct found_attachment **list,
		    size_t *n, struct reuseport_error *refused, struct reuseport_error *err)
{
	struct finding all = { .refused = refused, .err = err };
	int ret = group_key_filter_init(&all.filter, filter, err);

	if (refused)
		refused->code = 0;
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

int attachment_is_being_made(int dir)
{
	int ret = pin_dir_has(dir, PIN_ATTACHING);

	return ret > 0 ? pins_locked(dir) : ret;
}

static int attachment_wait_until_made(const struct attachment *at, struct reuseport_error *err)
{
	int made;

	for (int tries = 0; (made = attachment_is_being_made(at->dir)) > 0; tries++) {
		if (tries == MADE_TRIES)
			return fail(err, EBUSY, "%s is being attached right now: try again",
				    at->text);
		clock_sleep_ms(MADE_PAUSE_MS);
	}
	return made ? attachment_cannot_open(at, -made, err) : 0;
}

/* Open the attachment once it is made. -ENOENT, without an error: it was detached meanwhile. */
static int attachment_open_when_made(struct attachment *at, const struct found_attachment *found,
				     struct reuseport_error *err)
{
	int ret;

	attachment_init(at, &found->key);
	at->dir = pins_open(pins_name_in(found->pin), at->pin, sizeof(at->pin), err);
	if (at->dir < 0)
		return at->dir;
	ret = attachment_wait_until_made(at, err);
	if (!ret)
		ret = attachment_open_pins(at, err);
	if (!ret)
		ret = attachment_map(at, err);
	if (!ret || !pin_dir_is_gone(at->dir))
		return ret == -ENOENT ? attachment_damaged(at, err) : ret;
	return -ENOENT;
}

static int attachment_open_found(const struct found_attachment *found, size_t n,
				 struct attachment *list, size_t *opened,
				 struct reuseport_error *err)
{
	int ret = 0;

	*opened = 0;
	for (size_t i = 0; !ret && i < n; i++) {
		ret = attachment_open_when_made(&list[*opened], &found[i], err);
		if (ret)
			attachment_close(&list[*opened]);
		else
			++*opened;
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

int attachment_open_all(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
			struct reuseport_error *err)
{
	struct reuseport_error refused;
	struct found_attachment *found = NULL;
	struct attachment *all;
	size_t count = 0, opened = 0;
	int ret = attachment_find(filter, &found, &count, &refused, err);

	if (ret)
		return ret;
	all = calloc(count + 1, sizeof(*all));
	ret = all ? attachment_open_found(found, count, all, &opened, err) :
		    fail(err, ENOMEM, "out of memory");
	free(found);
	if (!ret && !opened)
		ret = refused.code ? fail(err, refused.code, "%s", refused.text) :
				     attachment_not_found(filter, err);
	if (ret) {
		attachment_close_all(all, opened);
		return ret;
	}
	*list = all;
	*n = opened;
	return 0;
}

/* Return whether two keys differ in their device, and maybe in their uid. */
static bool attachment_is_on_other_device(struct reuseport_key a, const struct reuseport_key *b)
{
	bool other = a.ifindex != b->ifindex;

	a.ifindex = b->ifindex;
	return other && group_key_same_place(&a, b);
}

static int attachment_refuse_twin(const struct reuseport_filter *filter, const struct attachment *a,
				  const struct attachment *b, struct reuseport_error *err)
{
	if (group_key_same_place(&a->key, &b->key))
		return fail(err, EINVAL, "%s has attachments of uid %u and of uid %u: name the uid",
			    a->text, b->key.uid, a->key.uid);
	/* Without an address all on the port are meant. */
	if (filter && filter->addr && attachment_is_on_other_device(a->key, &b->key))
		return fail(err, EINVAL, "%s and %s have the same address: name the device",
			    b->text, a->text);
	return 0;
}

/* Check that no two attachments differ in what was not named only. */
static int attachment_refuse_twins(const struct reuseport_filter *filter,
				   const struct attachment *list, size_t n,
				   struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		for (size_t k = 0; !ret && k < i; k++)
			ret = attachment_refuse_twin(filter, &list[i], &list[k], err);
	return ret;
}

int attachment_open_to_change(const struct reuseport_filter *filter, struct attachment **list,
			      size_t *n, struct reuseport_error *err)
{
	struct group_key_filter checked;
	struct attachment *opened;
	size_t count;
	int ret = group_key_filter_init(&checked, filter, err);

	/* A filter that was forgotten must not change every attachment of the host. */
	if (!ret && !checked.want.port)
		ret = fail(err, EINVAL, "a change needs the port of the group");
	if (!ret)
		ret = attachment_open_all(filter, &opened, &count, err);
	if (ret)
		return ret;
	ret = attachment_refuse_twins(filter, opened, count, err);
	if (ret) {
		attachment_close_all(opened, count);
		return ret;
	}
	*list = opened;
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
