// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check pins: whether a group needs this keeper any longer. */
#include <errno.h>
#include <syslog.h>

#include "error.h"
#include "keeper/check_pins.h"
#include "keeper/program_detach.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/sockarray.h"
#include "state/sockopt_members.h"

/* The pins were removed, but not by a detach. Without them no command reaches the program, and
 * it would look like another's: take it off. */
static int check_pins_give_back(struct reuseport_group *group, struct reuseport_error *err)
{
	struct reuseport_error error;
	int ret = program_detach(&group->at.key, &group->at.steering, &error);

	if (group->sockopt)
		sockopt_members_remove(group->sockopt, group->at.entry.attached_ns);

	/* Try again at the next call. */
	if (error_is_limit(ret)) {
		handle_log(group, LOG_ERR, "the pins of %s were removed, and %.250s",
			   group->at.text, error.text);
		return 0;
	}
	if (ret)
		return fail(err, ESHUTDOWN, "the pins of %s were removed, and %.250s",
			    group->at.text, error.text);
	sockarray_empty(group->at.steering.maps[MAP_SOCKETS]);
	return fail(err, ESHUTDOWN, "the pins of %s were removed: it is detached", group->at.text);
}

int check_pins(struct reuseport_group *group, struct reuseport_error *err)
{
	/* The host's keeper opens the directory for each turn. */
	if (group->at.dir < 0)
		return check_pins_give_back(group, err);
	/* By a command: see pins_take_over(). */
	if (pin_dir_has(group->at.dir, PIN_DETACHING) > 0)
		return fail(err, ESHUTDOWN, "%s is being detached", group->at.text);
	if (group->for_host && pin_dir_has(group->at.dir, PIN_WANTED) > 0)
		return fail(err, ESHUTDOWN, "%s is kept by its own process again", group->at.text);
	/* It was opened by its name just now. */
	if (group->shared)
		return 0;
	if (pin_dir_is_gone(group->at.dir))
		return check_pins_give_back(group, err);
	if (pins_are_gone(group->at.dir, group->at.pin))
		return fail(err, ESHUTDOWN, "%s: its pins are not in sight any longer",
			    group->at.text);
	return 0;
}
