// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Owner scan: search /proc for the processes that have sockets open, beside other work. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "host/look.h"
#include "sockets/owner_scan.h"

struct owner_scan {
	enum owners_wanted what;
	struct owner_walk *walk; /* the helper has a copy, which it takes the steps of */
	struct look *look;       /* NULL: this process takes them */
	struct socket_owners owners;
	int result; /* of taking what the helper reports */
};

/* --------------------------------------------------------------- in a helper */

/* A record that is no owner: permission was denied. */
static bool is_denial(const struct socket_owner *record)
{
	return !record->pid;
}

static int scan_in_helper(struct look_report *report, void *arg)
{
	struct owner_scan *scan = arg;
	const struct socket_owner denial = { 0 };
	int ret;

	owner_walk_report_to(scan->walk, report);
	while (!(ret = owner_walk_step(scan->walk, UINT_MAX)))
		continue;
	if (ret > 0 && owner_walk_owners(scan->walk)->denied)
		return look_tell(report, &denial);
	return ret < 0 ? ret : 0;
}

static void take_owner(void *ctx, const void *record)
{
	struct owner_scan *scan = ctx;

	if (is_denial(record))
		scan->owners.denied = true;
	else if (!scan->result)
		scan->result = owner_list_add(&scan->owners, record);
}

static int step_of_helper(struct owner_scan *scan)
{
	int ret;

	if (!look_step(scan->look, &ret))
		return 0;
	/* What was found is all there is, but for the processes that cannot be inspected. */
	if (ret == -ETIMEDOUT)
		ret = 0;
	if (!ret)
		ret = scan->result;
	return ret ? ret : 1;
}

/* ---------------------------------------------------------------------- scan */

static int scan_begin_as(struct owner_scan *scan, const struct wanted_socket *wanted, size_t n,
			 enum owners_wanted what)
{
	const struct look_job job = { .run = scan_in_helper,
				      .arg = scan,
				      .record = sizeof(struct socket_owner),
				      .take = take_owner,
				      .ctx = scan,
				      .minor = what == OWNERS_SERVING };
	int ret;

	owner_walk_free(scan->walk);
	scan->what = what;
	ret = owner_walk_new(wanted, n, what, &scan->walk);
	/* Nothing to look for: it is done at once. */
	return !ret && n && look_isolated() ? look_begin(&job, &scan->look) : ret;
}

int owner_scan_begin(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		     struct owner_scan **begun)
{
	struct owner_scan *scan = calloc(1, sizeof(*scan));
	int ret;

	if (!scan)
		return -ENOMEM;
	ret = scan_begin_as(scan, wanted, n, what);
	/* Some helpers hang already. What is left of them is for what is needed. */
	if (ret == -EBUSY && what == OWNERS_SERVING)
		ret = scan_begin_as(scan, wanted, n, OWNERS_ANY);
	if (ret) {
		owner_scan_free(scan);
		return ret;
	}
	*begun = scan;
	return 0;
}

int owner_scan_step(struct owner_scan *scan, unsigned int budget)
{
	return scan->look ? step_of_helper(scan) : owner_walk_step(scan->walk, budget);
}

int owner_scan_fd(const struct owner_scan *scan)
{
	return scan->look ? look_fd(scan->look) : -1;
}

uint64_t owner_scan_until(const struct owner_scan *scan)
{
	return scan->look ? look_until(scan->look) : 0;
}

void owner_scan_wait(const struct owner_scan *scan)
{
	if (scan->look)
		look_wait(scan->look);
}

void owner_scan_end(struct owner_scan *scan, struct socket_owners *owners)
{
	struct socket_owners *found = scan->look ? &scan->owners : owner_walk_owners(scan->walk);

	*owners = *found;
	owners->serving = scan->what == OWNERS_SERVING;
	*found = (struct socket_owners){ 0 };
	owner_scan_free(scan);
	owner_list_sort(owners);
}

void owner_scan_free(struct owner_scan *scan)
{
	if (!scan)
		return;
	look_free(scan->look);
	owner_walk_free(scan->walk);
	free(scan->owners.list);
	free(scan);
}
