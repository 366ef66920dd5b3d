// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attachments: what is pinned, found by a filter and opened. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "state/attachment.h"
#include "state/pins.h"
#include "state/sockarray.h"

/* For how long an attach is waited for that is under way. */
#define MADE_TRIES 250
#define MADE_PAUSE_MS 20

/*
 * The version is the first word of the value in every ABI, so it can be read
 * even where the size is another.
 */
int attachment_read_entry(const struct steering *steering, struct attachment_entry *entry,
			  uint32_t *version)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0;
	int map = steering->maps[MAP_ATTACHMENT], ret = 0;
	void *value;

	*version = 0;
	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &len))
		return -EPROTO;
	value = calloc(1, info.value_size + sizeof(*entry));
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map, &zero, value))
		ret = -errno;
	if (!ret)
		memcpy(version, value, sizeof(*version));
	if (!ret && (*version != REUSEPORT_ABI_VERSION || info.value_size != sizeof(*entry)))
		ret = -EPROTO;
	if (!ret)
		memcpy(entry, value, sizeof(*entry));
	free(value);
	return ret;
}

int attachments_none(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	return fail(err, ENOENT,
		    "nothing is attached to %s port %u there: 'reuseportctl status' "
		    "shows what is, and where",
		    filter->proto ? group_key_proto_name(filter->proto) : "tcp or udp",
		    filter->port);
}

/* ------------------------------------------------------------------- finding */

struct finding {
	struct group_key_filter filter;
	struct reuseport_error *err;
	struct reuseport_key *keys;
	size_t n;
};

static int collect(void *ctx, const char *path, const struct reuseport_key *key)
{
	struct finding *all = ctx;
	struct reuseport_key *grown;

	(void)path;
	if (!group_key_matches(&all->filter, key))
		return 0;
	grown = realloc(all->keys, (all->n + 1) * sizeof(*grown));
	if (!grown)
		return fail(all->err, ENOMEM, "out of memory");
	all->keys = grown;
	all->keys[all->n++] = *key;
	return 0;
}

int attachments_find(const struct reuseport_filter *filter, struct reuseport_key **keys, size_t *n,
		     struct reuseport_error *err)
{
	struct finding all = { .err = err };
	int ret = group_key_filter_init(&all.filter, filter, err);

	if (!ret)
		ret = pins_for_each(collect, &all, err);
	if (ret) {
		free(all.keys);
		return ret;
	}
	*keys = all.keys;
	*n = all.n;
	return 0;
}

/* ------------------------------------------------------------------- opening */

bool attachment_is_being_made(const char *pin)
{
	char path[REUSEPORT_PATH_MAX + 32];

	return !access(pins_join(pin, PIN_ATTACHING, path, sizeof(path)), F_OK) && pins_locked(pin);
}

static bool open_pins(struct attachment *one)
{
	uint32_t version;

	return !steering_open(&one->steering, one->pin) &&
	       !attachment_read_entry(&one->steering, &one->entry, &version) &&
	       steering_fits(&one->steering, &one->entry);
}

static int open_one(struct attachment *one, const struct reuseport_key *key,
		    struct reuseport_error *err)
{
	struct steering_size size;
	int ret;

	*one = (struct attachment){ .key = *key, .steering = STEERING_NONE };
	group_key_text(key, one->text, sizeof(one->text));
	ret = pins_path(key, false, one->pin, sizeof(one->pin), err);
	if (ret)
		return ret;
	for (int tries = 0; attachment_is_being_made(one->pin); tries++) {
		if (tries == MADE_TRIES)
			return fail(err, EBUSY, "%s is just being attached: try again", one->text);
		clock_sleep_ms(MADE_PAUSE_MS);
	}
	if (!open_pins(one))
		return fail(err, EPROTO,
			    "the pins in %s are damaged or of another version: detach, "
			    "then attach again",
			    one->pin);
	size = steering_size_of(&one->entry);
	ret = mapped_open(&one->mapped, &one->steering, &size);
	if (ret)
		return fail(err, -ret, "cannot map %s into memory: %s", one->pin, strerror(-ret));
	return 0;
}

int attachments_open(const struct reuseport_filter *filter, struct attachment **list, size_t *n,
		     struct reuseport_error *err)
{
	struct reuseport_key *keys = NULL;
	struct attachment *all;
	size_t count = 0, opened = 0;
	int ret = attachments_find(filter, &keys, &count, err);

	if (ret)
		return ret;
	if (!count)
		return attachments_none(filter, err);
	all = calloc(count, sizeof(*all));
	if (!all)
		ret = fail(err, ENOMEM, "out of memory");
	while (!ret && opened < count) {
		ret = open_one(&all[opened], &keys[opened], err);
		opened++;
	}
	free(keys);
	if (ret) {
		attachments_close(all, opened);
		return ret;
	}
	*list = all;
	*n = count;
	return 0;
}

bool attachment_has_worker(const struct attachment *one, unsigned int slot)
{
	const struct worker_entry *entry = &one->mapped.workers[slot];

	return slot < one->entry.slots && entry->state != WORKER_FREE &&
	       sockarray_holds(one->steering.maps[MAP_SOCKETS], slot, entry->cookie);
}

void attachments_close(struct attachment *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		mapped_close(&list[i].mapped);
		steering_close(&list[i].steering);
	}
	free(list);
}
