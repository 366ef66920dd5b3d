// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Standby: a helper process that is there before it is needed. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "host/isolation.h"
#include "host/look_report.h"
#include "host/standby.h"

/* A job, as it is sent; both processes have the same code at the same place. */
struct standby_job {
	int (*serve)(struct look_report *report, const void *data, const int *fds);
	size_t record;
	char data[STANDBY_REQUEST_MAX];
};

union standby_fds {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(STANDBY_FDS * sizeof(int))];
};

static struct {
	int pipe;     /* -1: there is none */
	int requests; /* a socket to it */
	struct look_state *state;
	uint32_t jobs;     /* that it has been given */
	bool taken;        /* what it has reported of the last one may not be read yet */
	uint64_t given_at; /* when, the last one */
} standby = { .pipe = -1, .requests = -1 };

/* --------------------------------------------------------------- in the helper */

/* Wait for a job. Return how many descriptors came with it, or -1 at the end. */
static int standby_receive(int requests, struct standby_job *job, int fds[STANDBY_FDS])
{
	union standby_fds room;
	struct iovec data = { .iov_base = job, .iov_len = sizeof(*job) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &room,
				  .msg_controllen = sizeof(room) };
	const struct cmsghdr *header;
	ssize_t len;

	do
		len = recvmsg(requests, &message, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	header = len == sizeof(*job) ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return len == sizeof(*job) ? 0 : -1;
	memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static int standby_help(void *arg, int out)
{
	int requests = *(const int *)arg, fds[STANDBY_FDS], n;
	struct look_state *state = standby.state;
	struct standby_job job;

	look_become_helper();
	while ((n = standby_receive(requests, &job, fds)) >= 0) {
		struct look_report report = {
			.record = job.record, .state = state, .out = out, .stands_by = true
		};

		state->result = job.serve(&report, job.data, fds);
		while (n)
			close(fds[--n]);
		__atomic_add_fetch(&state->over, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

/* ------------------------------------------------------------- in this process */

void standby_end(void)
{
	const struct reuseport_isolation *by = isolation();

	if (standby.pipe < 0)
		return;
	if (by)
		by->stop(by->ctx, standby.pipe, true);
	else
		close(standby.pipe);
	fd_close(standby.requests);
	look_state_free(standby.state);
	standby.pipe = standby.requests = -1;
	standby.state = NULL;
	standby.taken = false;
}

void standby_release(void)
{
	standby.taken = false;
}

static bool standby_has_ended(void)
{
	struct pollfd end = { .fd = standby.pipe };

	return poll(&end, 1, 0) == 1 && end.revents & (POLLHUP | POLLERR);
}

/* Return 0 if it has done all that it was given. -EBUSY, -ENOENT: as standby_begin(). */
static int standby_is_free(void)
{
	if (standby.pipe < 0)
		return -ENOENT;
	if (standby.taken)
		return -EBUSY;
	if (__atomic_load_n(&standby.state->over, __ATOMIC_ACQUIRE) == standby.jobs)
		return 0;
	/* All of the last one was reported, but it hangs in a close. */
	if (clock_ns(CLOCK_MONOTONIC) - standby.given_at <= LOOK_PATIENCE_MS * CLOCK_MS)
		return -EBUSY;
	standby_end();
	return -ENOENT;
}

void standby_start(void)
{
	const struct reuseport_isolation *by = isolation();
	int ends[2];

	if (standby.pipe >= 0 && standby_has_ended())
		standby_end();
	if (standby_is_free() != -ENOENT || !look_isolated() || look_in_haste())
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return;
	standby.state = look_state_new();
	standby.pipe = standby.state ?
			       by->start(by->ctx, standby_help, &ends[1], &ends[1], 1, true) :
			       -1;
	standby.requests = ends[0];
	standby.jobs = 0;
	close(ends[1]);
	if (standby.pipe >= 0)
		return;
	close(ends[0]);
	look_state_free(standby.state);
	standby.pipe = standby.requests = -1;
	standby.state = NULL;
}

static int standby_send(const struct standby_job *job, const int *fds, size_t n)
{
	union standby_fds room = { 0 };
	struct iovec data = { .iov_base = (void *)job, .iov_len = sizeof(*job) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	size_t bytes = n * sizeof(*fds);

	if (n) {
		message.msg_control = &room;
		message.msg_controllen = CMSG_SPACE(bytes);
		room.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS,
						.cmsg_len = CMSG_LEN(bytes) };
		memcpy(CMSG_DATA(&room.header), fds, bytes);
	}
	return sendmsg(standby.requests, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int standby_begin(const struct standby_request *request, size_t record, const int *fds, size_t n,
		  int *pipe, struct look_state **state)
{
	struct standby_job job = { .serve = request->serve, .record = record };
	int ret = standby_is_free();

	if (!ret && (request->size > STANDBY_REQUEST_MAX || n > STANDBY_FDS))
		ret = -E2BIG;
	if (ret)
		return ret;
	memcpy(job.data, request->data, request->size);
	if (standby_send(&job, fds, n)) {
		standby_end();
		return -ENOENT;
	}
	standby.jobs++;
	standby.taken = true;
	standby.given_at = clock_ns(CLOCK_MONOTONIC);
	*pipe = standby.pipe;
	*state = standby.state;
	return 0;
}
