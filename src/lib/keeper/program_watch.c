// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Program watch: whether each group that the host's keeper keeps has its program still. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <syslog.h>

#include "fd.h"
#include "host/look.h"
#include "keeper/loop_time.h"
#include "keeper/program_watch.h"
#include "keeper/slots.h"
#include "state/ages.h"
#include "state/hook_iter.h"

#define EVERY (1000 * MS)
#define PART 200      /* of the time, for one namespace: 0.5% */
#define PART_MANY 500 /* for several: 0.2% */
#define LONGEST (30000 * MS)
#define HANGS (30000 * MS) /* a process holds a socket's lock */

_Static_assert(sizeof(struct program_ask) <= STANDBY_REQUEST_MAX, "it is sent as one");

/* What came of one question. */
struct program_answer {
	uint32_t index; /* of the cookie */
	uint32_t id;    /* of the program, 0: classic BPF */
	bool found;     /* a group has the socket */
	bool present;   /* and a program */
};

/* --------------------------------------------------------------- in a helper */

static const struct group_member *watch_find(const struct member_list *list, uint64_t cookie)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->members[i].cookie == cookie)
			return &list->members[i];
	return NULL;
}

static int watch_answer(struct look_report *report, const struct program_ask *ask,
			struct group_iter *reader)
{
	struct member_list list = { 0 };
	struct netns_visit visit;
	int ret = netns_enter(&ask->ns, &visit, NULL);

	if (!ret) {
		ret = group_iter_read(reader, 0, &list, NULL);
		netns_leave(&visit);
	}
	/* Each is answered, as they are counted. */
	for (uint32_t i = 0; i < ask->n; i++) {
		const struct group_member *member = watch_find(&list, ask->cookies[i]);
		struct program_answer answer = { .index = i };

		if (member) {
			answer.found = true;
			answer.present = member->has_prog;
			answer.id = member->prog_id;
		}
		if (look_tell(report, &answer))
			break;
	}
	free(list.members);
	return look_flush(report);
}

static int watch_run(struct look_report *report, void *arg)
{
	const struct reuseport_keeper *keeper = arg;

	return watch_answer(report, &keeper->watch.ask, keeper->shared.reader);
}

/* In the helper that stands by, which closes the descriptors itself. */
static int watch_serve(struct look_report *report, const void *data, const int *fds)
{
	int tcp = fcntl(fds[0], F_DUPFD_CLOEXEC, 3), udp = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	struct group_iter *reader;
	int ret = tcp < 0 || udp < 0 ? -EMFILE : group_iter_use(tcp, udp, &reader, NULL);

	if (ret) {
		fd_close(tcp);
		fd_close(udp);
		return ret;
	}
	ret = watch_answer(report, data, reader);
	group_iter_close(reader);
	return ret;
}

/* ----------------------------------------------------------------- the answers */

/* Log it once. That it is missing is logged by who puts it back. */
static void watch_note(struct host_entry *entry, enum program_seen seen, uint32_t id)
{
	struct reuseport_group *group = entry->group;
	const char *text = group->at.text;
	char name[64] = "classic BPF";

	if (entry->seen_program == seen && entry->seen_id == id)
		return;
	if (seen == PROGRAM_OURS && entry->seen_program == PROGRAM_FOREIGN)
		handle_log(group, LOG_NOTICE, "%s: the program is there again: it is steered",
			   text);
	else if (seen == PROGRAM_FOREIGN && (!id || !group_program_name(id, name, sizeof(name))))
		handle_log(group, LOG_WARNING,
			   "%s: another program picks (id %u%s%s), so it is not steered: have the "
			   "server leave its own away, or force an attach to replace it",
			   text, id, *name ? ", " : "", name);
	entry->seen_program = seen;
	entry->seen_id = id;
}

/* Note when the kernel was asked, for who looks at the status. */
static void watch_note_time(const struct reuseport_keeper *keeper,
			    const struct reuseport_group *group)
{
	const struct map_view *view = &group->at.view;

	ages_of_group(view, AGE_LOOK)->since_ns = clock_ns(CLOCK_BOOTTIME) -
						  (loop_now() - keeper->watch.asked_at);
	map_view_store(view);
}

static void watch_take(void *ctx, const void *record)
{
	struct reuseport_keeper *keeper = ctx;
	const struct program_answer *answer = record;
	const struct program_watch *watch = &keeper->watch;
	struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group && entry->id == watch->ids[answer->index])
			break;
	/* It is not kept any longer, or that member has left. */
	if (!entry || !answer->found ||
	    slots_find(entry->group, watch->ask.cookies[answer->index]) == SLOT_NONE)
		return;
	watch_note_time(keeper, entry->group);
	if (!answer->present) {
		watch_note(entry, PROGRAM_NONE, 0);
		entry->group->loop.mend_due = true;
		entry->due_at = 0;
	} else if (answer->id == entry->group->at.steering.program_id) {
		watch_note(entry, PROGRAM_OURS, 0);
	} else {
		watch_note(entry, PROGRAM_FOREIGN, answer->id);
	}
}

/* --------------------------------------------------------------- the questions */

/* Return the cookie of a member, 0 for none. */
static uint64_t watch_member(const struct reuseport_group *group)
{
	for (unsigned int slot = 0; group->workers && slot < group->at.entry.slots; slot++)
		if (group->slots[slot].cookie && !group->slots[slot].reserved)
			return group->slots[slot].cookie;
	return 0;
}

/* Gather groups of one namespace that were not asked about in this round. Return
 * whether there are some. */
static bool watch_gather(struct reuseport_keeper *keeper)
{
	struct program_watch *watch = &keeper->watch;
	struct program_ask *ask = &watch->ask;
	struct host_entry *entry;

	ask->n = 0;
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++) {
		const struct reuseport_group *group = entry->group;
		uint64_t cookie = group && entry->asked != watch->round ? watch_member(group) : 0;

		if (!cookie || ask->n == WATCH_MAX)
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
	int keep[2];
	const struct look_job job = { .run = watch_run,
				      .arg = keeper,
				      .record = sizeof(struct program_answer),
				      .take = watch_take,
				      .ctx = keeper,
				      .keep = keep,
				      .n_keep = group_iter_fds(keeper->shared.reader, keep),
				      .minor = true,
				      .request = { .serve = watch_serve,
						   .data = &watch->ask,
						   .size = sizeof(watch->ask) },
				      .records = watch->ask.n };

	watch->asked_at = loop_now();
	return look_isolated() ? look_begin(&job, &watch->look) : look_run(&job);
}

/* ------------------------------------------------------------------- the rounds */

/* The round is over: the next one comes when what it took is a small part of the time. */
static void watch_end_round(struct program_watch *watch, uint64_t pause)
{
	uint64_t part = watch->looks > 1 ? PART_MANY : PART;

	if (pause < watch->took * part)
		pause = watch->took * part;
	/* It may have waited for a busy processor. */
	if (pause > LONGEST)
		pause = LONGEST;
	watch->at = loop_now() + pause;
	watch->took = watch->looks = 0;
	watch->round++;
}

static void watch_end_look(struct program_watch *watch, int ret)
{
	watch->took += loop_now() - watch->asked_at;
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
