// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Own programs: what this toolkit has pinned in this bpffs, to tell its programs from others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/own_programs.h"
#include "error.h"
#include "fd.h"
#include "state/attachment.h"
#include "state/generation.h"
#include "state/pin_owner.h"
#include "state/steering_maps.h"

struct own_reading {
	struct own_programs *own;
	bool count;
	struct reuseport_error *err;
};

static int own_cannot_open(const char *path, int code, struct reuseport_error *err)
{
	return fail(err, code, "cannot open the pins in %s: %s", path, strerror(code));
}

/* Count the workers that may get new work: active, of the generation that serves, with a weight,
 * and their socket in its slot right now. */
static unsigned int own_count_eligible(const struct attachment *at)
{
	unsigned int n = 0;

	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		const struct worker_entry entry = at->view.workers[slot];

		n += generation_state(generations_in_use(&at->view), &entry) == WORKER_ACTIVE &&
		     entry.weight && attachment_holds(at, slot, entry.cookie);
	}
	return n;
}

/* Damaged pins, and those of another version, are not counted. */
static int own_count_workers(struct own_program *own, int dir, struct reuseport_error *err)
{
	struct attachment at;
	int ret;

	attachment_init(&at, &own->key);
	snprintf(at.pin, sizeof(at.pin), "%s", own->pin);
	at.dir = dir;
	ret = attachment_open_pins(&at, err);
	own->counted = !ret;
	if (!ret)
		ret = attachment_map(&at, err);
	if (!ret)
		own->may_get_new = own_count_eligible(&at);
	at.dir = -1; /* the caller closes it */
	attachment_close(&at);
	return ret == -ENOENT || ret == -EPROTO ? 0 : ret;
}

static int own_describe(struct own_program *own, const struct pins_entry *pinned,
			const struct own_reading *reading)
{
	struct steering steering;
	int ret = steering_open(&steering, pinned->dir);

	if (ret && ret != -ENOENT)
		return own_cannot_open(pinned->path, -ret, reading->err);
	own->program_id = steering.program_id;
	steering_close(&steering);
	ret = pin_owner_read(pinned->dir, pinned->path, pinned->named, &own->key, reading->err);
	if (ret)
		return ret;
	snprintf(own->pin, sizeof(own->pin), "%s", pinned->path);
	return reading->count ? own_count_workers(own, pinned->dir, reading->err) : 0;
}

static int own_add(void *ctx, const struct pins_entry *pinned)
{
	struct own_reading *reading = ctx;
	struct own_program own = { 0 }, *grown;
	int ret;

	if (pinned->dir < 0)
		return 0;
	ret = own_describe(&own, pinned, reading);
	if (ret)
		return ret;
	grown = realloc(reading->own->list, (reading->own->n + 1) * sizeof(*grown));
	if (!grown)
		return fail(reading->err, ENOMEM, "out of memory");
	reading->own->list = grown;
	grown[reading->own->n++] = own;
	return 0;
}

int own_programs_read(struct own_programs *own, bool count, struct reuseport_error *err)
{
	struct own_reading reading = { .own = own, .count = count, .err = &own->why };
	int ret;

	*own = (struct own_programs){ 0 };
	ret = pins_for_each(own_add, &reading, &own->why);
	if (ret == -ENODEV || ret == -EPERM || ret == -EACCES) {
		own->refused = ret;
		return 0;
	}
	return ret ? fail(err, -ret, "%s", own->why.text) : 0;
}

void own_programs_free(struct own_programs *own)
{
	free(own->list);
	*own = (struct own_programs){ 0 };
}

/* Return whether the program belongs to pins where its own pin is missing: 1, 0 or -errno. */
static int own_is_of_damaged(const struct own_program *own, uint32_t id,
			     struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(pins_name_in(own->pin), path, sizeof(path), NULL), ret;
	struct steering steering;

	/* Detached meanwhile. */
	if (dir == -ENOENT)
		return 0;
	ret = dir < 0 ? dir : steering_open(&steering, dir);
	if (!ret || ret == -ENOENT) {
		ret = steering_owns(&steering, id);
		steering_close(&steering);
	}
	fd_close(dir);
	return ret < 0 ? own_cannot_open(own->pin, -ret, err) : ret;
}

int own_programs_have(const struct own_programs *own, const struct group_program *program,
		      struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; program->id && !ret && i < own->n; i++)
		ret = own->list[i].program_id == program->id;
	if (!program->id || strcmp(program->name, GROUP_PROGRAM_NAME))
		return ret;
	for (size_t i = 0; !ret && i < own->n; i++)
		if (!own->list[i].program_id)
			ret = own_is_of_damaged(&own->list[i], program->id, err);
	return ret;
}

const struct own_program *own_programs_for(const struct own_programs *own,
					   const struct reuseport_key *key)
{
	for (size_t i = 0; i < own->n; i++) {
		uint64_t cookie = own->list[i].key.netns_cookie;

		/* A later namespace can have the same inode. */
		if (group_key_equal(&own->list[i].key, key) &&
		    (!cookie || !key->netns_cookie || cookie == key->netns_cookie))
			return &own->list[i];
	}
	return NULL;
}
