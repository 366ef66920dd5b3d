// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Program watch: whether each group that the host's keeper keeps has its program still. */
#include <errno.h>
#include <syslog.h>

#include "keeper/host_scan.h"
#include "keeper/loop_time.h"
#include "keeper/program_seen.h"
#include "keeper/program_watch.h"
#include "state/hook_iter.h"
#include "state/sockarray.h"

#define EVERY (800 * MS) /* so that it is noticed within a second */
#define PART 200         /* of a CPU's time, for all namespaces: 0.5%, */
#define FEW 4            /* and beyond so many of them */
#define PART_MANY 500    /* 0.2%: a host with many has other work to do for them, too */
#define LONGEST (30000 * MS)
#define HANGS (30000 * MS) /* a process holds a socket's lock */

/* ----------------------------------------------------------------- the answers */

/* Another bpffs may have been mounted over the one with the pins: no command reaches them. Who
 * has replaced or taken off the program by another then is not to be undone. */
static void watch_let_go(struct host_entry *entry)
{
	struct reuseport_group *group = entry->group;

	handle_log(group, LOG_NOTICE,
		   "%s has lost its program, and its pins are not in sight any longer: it is left "
		   "alone",
		   group->at.text);
	sockarray_empty(group->at.steering.maps[MAP_SOCKETS]);
	host_scan_release(entry);
	entry->keeper->scan_due = true;
}

static void watch_take(void *ctx, const void *record)
{
	struct reuseport_keeper *keeper = ctx;
	const struct program_answer *answer = record;
	struct program_watch *watch = &keeper->watch;
	struct host_entry *entry;

	watch->look_cost = answer->cost;
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group && entry->id == watch->ids[answer->index])
			break;
	/* It may not be kept any longer. */
	if (!entry)
		return;
	if (program_seen_take(entry->group, &watch->question.ask, answer, watch->asked_at))
		entry->due_at = 0;
	if (entry->group->loop.program.kind != PROGRAM_OURS && host_scan_is_hidden(keeper))
		watch_let_go(entry);
}

/* --------------------------------------------------------------- the questions */

/* Gather groups of one namespace that were not asked about in this round. Return
 * whether there are some. */
static bool watch_gather(struct reuseport_keeper *keeper)
{
	struct program_watch *watch = &keeper->watch;
	struct program_ask *ask = &watch->question.ask;
	struct host_entry *entry;

	ask->n = 0;
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++) {
		const struct reuseport_group *group = entry->group;
		uint64_t cookie = group && entry->asked != watch->round ?
					  program_seen_member(group) :
					  0;

		if (!cookie || ask->n == ASK_MAX)
			continue;
		if (!ask->n)
			ask->ns = group->ns;
		if (ask->ns.inode != group->ns.inode || ask->ns.cookie != group->ns.cookie)
			continue;
		entry->asked = watch->round;
		watch->ids[ask->n] = entry->id;
		ask->cookies[ask->n++] = cookie;
	}
	return ask->n;
}

static int watch_ask(struct reuseport_keeper *keeper)
{
	struct program_watch *watch = &keeper->watch;

	watch->question.reader = keeper->shared.reader;
	watch->asked_at = loop_now();
	return program_ask(&watch->question, watch_take, keeper, &watch->look);
}

/* ------------------------------------------------------------------- the rounds */

/* The round is over: the next one comes when what it took is a small part of the time. */
static void watch_end_round(struct program_watch *watch, uint64_t pause)
{
	uint64_t part = watch->looks > FEW ? PART_MANY : PART;

	if (pause < watch->cost * part)
		pause = watch->cost * part;
	if (pause > LONGEST)
		pause = LONGEST;
	watch->at = loop_now() + pause;
	watch->cost = watch->looks = 0;
	watch->round++;
}

static void watch_end_look(struct program_watch *watch, int ret)
{
	watch->cost += (watch->look_cost + ASK_COST) * 1000;
	watch->looks++;
	if (ret == -ETIMEDOUT) {
		group_iter_note_hang();
		watch_end_round(watch, HANGS);
	}
}

void program_watch_step(struct reuseport_keeper *keeper)
{
	struct program_watch *watch = &keeper->watch;
	int ret;

	if (watch->look) {
		if (!look_step(watch->look, &ret))
			return;
		look_free(watch->look);
		watch->look = NULL;
		watch_end_look(watch, ret);
	}
	if (loop_now() < watch->at)
		return;
	if (!watch->round)
		watch->round = 1;
	if (!watch_gather(keeper)) {
		watch_end_round(watch, EVERY);
		return;
	}
	if (!keeper->shared.reader && hook_iter_open(&keeper->shared.reader, NULL)) {
		/* This kernel has none, or there is no memory at this moment. */
		watch_end_round(watch, HANGS);
		return;
	}
	ret = watch_ask(keeper);
	if (!watch->look)
		watch_end_look(watch, ret);
}

int program_watch_fd(const struct reuseport_keeper *keeper, uint64_t *until)
{
	const struct program_watch *watch = &keeper->watch;

	*until = watch->look ? look_until(watch->look) : watch->at;
	return watch->look ? look_fd(watch->look) : -1;
}

void program_watch_end(struct reuseport_keeper *keeper)
{
	look_free(keeper->watch.look);
	keeper->watch.look = NULL;
}
