// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Program ask: ask the kernel which programs the groups of some sockets have. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "clock.h"
#include "fd.h"
#include "keeper/program_ask.h"

_Static_assert(sizeof(struct program_ask) <= STANDBY_REQUEST_MAX, "it is sent as one");

/* --------------------------------------------------------------- in a helper */

static const struct group_member *ask_find(const struct member_list *list, uint64_t cookie)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->members[i].cookie == cookie)
			return &list->members[i];
	return NULL;
}

static int ask_answer(struct look_report *report, const struct program_ask *ask,
		      struct group_iter *reader)
{
	uint64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct member_list list = { 0 };
	struct netns_visit visit;
	int ret = netns_enter(&ask->ns, &visit, NULL);

	if (!ret) {
		ret = group_iter_read(reader, 0, &list, NULL);
		netns_leave(&visit);
	}
	/* Each is answered, as they are counted. */
	for (uint32_t i = 0; i < ask->n; i++) {
		const struct group_member *member = ask_find(&list, ask->cookies[i]);
		struct program_answer answer = { .index = i };

		answer.cost = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 1000;
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

static int ask_run(struct look_report *report, void *arg)
{
	const struct program_question *question = arg;

	return ask_answer(report, &question->ask, question->reader);
}

/* In the helper that stands by, which closes the descriptors itself. */
static int ask_serve(struct look_report *report, const void *data, const int *fds)
{
	int tcp = fcntl(fds[0], F_DUPFD_CLOEXEC, 3), udp = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	struct group_iter *reader;
	int ret = tcp < 0 || udp < 0 ? -EMFILE : group_iter_use(tcp, udp, &reader, NULL);

	if (ret) {
		fd_close(tcp);
		fd_close(udp);
		return ret;
	}
	ret = ask_answer(report, data, reader);
	group_iter_close(reader);
	return ret;
}

/* ------------------------------------------------------------ in this process */

int program_ask(struct program_question *question, void (*take)(void *ctx, const void *record),
		void *ctx, struct look **look)
{
	const struct look_job job = { .run = ask_run,
				      .arg = question,
				      .record = sizeof(struct program_answer),
				      .take = take,
				      .ctx = ctx,
				      .keep = question->keep,
				      .n_keep = group_iter_fds(question->reader, question->keep),
				      .minor = true,
				      .request = { .serve = ask_serve,
						   .data = &question->ask,
						   .size = sizeof(question->ask) },
				      .records = question->ask.n };

	*look = NULL;
	return look_isolated() ? look_begin(&job, look) : look_run(&job);
}
