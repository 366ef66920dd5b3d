// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Look report: how a function that looks at other processes says what it sees. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "host/isolation.h"
#include "host/look_report.h"
#include "host/skip_list.h"

#define RECENT_NS (10000 * CLOCK_MS)

static uint64_t given_up_at; /* the last time; 0: never */
static bool is_helper;       /* this process is one: what it calls looks by itself */

/* ------------------------------------------------------------ in the function */

int look_flush(struct look_report *report)
{
	size_t done = 0;
	ssize_t n;

	if (!report->state)
		return 0;
	while (done < report->have) {
		n = write(report->out, report->buffer + done, report->have - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += n;
	}
	report->have = 0;
	return 0;
}

void look_progress(struct look_report *report)
{
	if (report->state)
		__atomic_add_fetch(&report->state->steps, 1, __ATOMIC_RELAXED);
}

bool look_is_isolated(const struct look_report *report)
{
	return report->state;
}

bool look_at(struct look_report *report, uint32_t pid)
{
	if (!report->state)
		return true;
	if ((pid && !report->stands_by && skip_list_has(pid)) || look_flush(report))
		return false;
	__atomic_store_n(&report->state->pid, pid, __ATOMIC_RELEASE);
	look_progress(report);
	return true;
}

int look_tell(struct look_report *report, const void *record)
{
	size_t size = report->record;
	int ret = 0;

	if (!report->state) {
		report->take(report->ctx, record);
		return 0;
	}
	if (report->have + size > sizeof(report->buffer))
		ret = look_flush(report);
	if (ret)
		return ret;
	memcpy(report->buffer + report->have, record, size);
	report->have += size;
	return 0;
}

/* ------------------------------------------------------------------ both sides */

bool look_isolated(void)
{
	return !is_helper && isolation();
}

void look_become_helper(void)
{
	is_helper = true;
}

void look_note_given_up(void)
{
	given_up_at = clock_ns(CLOCK_MONOTONIC);
}

bool look_in_haste(void)
{
	return given_up_at && clock_ns(CLOCK_MONOTONIC) - given_up_at < RECENT_NS;
}

struct look_state *look_state_new(void)
{
	void *state = mmap(NULL, sizeof(struct look_state), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return state == MAP_FAILED ? NULL : state;
}

void look_state_free(struct look_state *state)
{
	if (state)
		munmap(state, sizeof(*state));
}
