// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Upgrade: pin what is new in this ABI beside the pins of an older one, then in their place. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "state/ages.h"
#include "state/old_abi.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/upgrade.h"

/* In the order in which they take their place. The version is in the description. */
static const struct upgrade_pin {
	const char *next, *name;
	int map; /* MAPS: the program */
} upgrade_pins[] = {
	{ "next_ages", "ages", MAP_AGES },
	{ "next_asked", "asked", MAP_ASKED },
	{ "next_control", "control", MAP_CONTROL },
	{ "next_events", "events", MAP_EVENTS },
	{ "next_program", PIN_PROGRAM, MAPS },
	{ "next_attachment", "attachment", MAP_ATTACHMENT },
};

#define UPGRADE_PINS (sizeof(upgrade_pins) / sizeof(upgrade_pins[0]))

int upgrade_control(const struct attachment *at, const struct steering *old, unsigned int members,
		    struct reuseport_error *err)
{
	struct control *control = at->view.control;
	uint64_t value[sizeof(struct control) / sizeof(uint64_t)];
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(old->maps[MAP_CONTROL], &zero, value))
		return fail(err, errno, "cannot read %s/control: %s", at->pin, strerror(errno));
	old_abi_control(value, control);
	/* Both are unknown: the next publication waits, and the program tells anew. */
	control->told = control->epoch - 1;
	ages_of_group(&at->view, AGE_SETTLED)->since_ns = control->epoch - 1;
	control->members = members;
	map_view_store(&at->view);
	return 0;
}

static int upgrade_fd(const struct attachment *at, const struct upgrade_pin *pin)
{
	return pin->map == MAPS ? at->steering.program : at->steering.maps[pin->map];
}

int upgrade_pin(const struct attachment *at, struct reuseport_error *err)
{
	int fd, ret = 0;

	upgrade_clear(at->dir);
	for (size_t i = 0; !ret && i < UPGRADE_PINS; i++) {
		fd = upgrade_fd(at, &upgrade_pins[i]);
		if (fd >= 0)
			ret = pin_dir_pin(at->dir, upgrade_pins[i].next, fd);
	}
	return ret ? fail(err, -ret, "cannot pin in %s: %s", at->pin, strerror(-ret)) : 0;
}

int upgrade_replace(const struct attachment *at, struct reuseport_error *err)
{
	const struct upgrade_pin *pin;

	for (size_t i = 0; i < UPGRADE_PINS; i++) {
		pin = &upgrade_pins[i];
		/* One may be there of an upgrade that was killed. */
		if (upgrade_fd(at, pin) < 0)
			unlinkat(at->dir, pin->name, 0);
		else if (renameat(at->dir, pin->next, at->dir, pin->name))
			return fail(err, errno, "cannot rename %s/%s: %s", at->pin, pin->next,
				    strerror(errno));
	}
	return 0;
}

void upgrade_clear(int dir)
{
	for (size_t i = 0; i < UPGRADE_PINS; i++)
		unlinkat(dir, upgrade_pins[i].next, 0);
}
