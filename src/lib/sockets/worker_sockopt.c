// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A worker's own calls: the socket options by which it asks, and waits for what it has asked. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "reuseport_types.h"
#include "reuseport_status.h"
#include "reuseport_worker.h"

#define WORKER_PAUSE_MS 1 /* between two looks; it grows to */
#define WORKER_PAUSE_MAX_MS 20

static int worker_sockopt_set(int fd, int name, uint32_t value)
{
	return setsockopt(fd, SOL_REUSEPORT_BPF, name, &value, sizeof(value)) ? -errno : 0;
}

int reuseport_worker_ready(int fd, bool ready)
{
	return worker_sockopt_set(fd, REUSEPORT_READY, ready);
}

int reuseport_worker_drain(int fd, unsigned int drain)
{
	return worker_sockopt_set(fd, REUSEPORT_DRAIN, drain);
}

int reuseport_worker_set_weight(int fd, unsigned int weight)
{
	return worker_sockopt_set(fd, REUSEPORT_WEIGHT, weight);
}

int reuseport_worker_set_id(int fd, uint32_t id)
{
	return worker_sockopt_set(fd, REUSEPORT_ID, id);
}

int reuseport_worker_get_state(int fd, struct reuseport_worker_sockopt *state, size_t size)
{
	socklen_t len = size;

	if (!state || size < sizeof(state->state) || size > INT_MAX)
		return -EINVAL;
	memset(state, 0, size);
	return getsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, state, &len) ? -errno : 0;
}

/* ------------------------------------------------------------------ waiting */

/* Return whether what is waited for has come. */
typedef bool (*worker_sockopt_fn)(const struct reuseport_worker_sockopt *state, uint64_t value);

static bool worker_sockopt_is_in_effect(const struct reuseport_worker_sockopt *state, uint64_t seq)
{
	return state->seq >= seq;
}

static bool worker_sockopt_is_drained(const struct reuseport_worker_sockopt *state, uint64_t unused)
{
	(void)unused;
	return state->state >= REUSEPORT_WORKER_DRAINING && !state->queue && !state->half_open;
}

/* Wait until "looks" looks, one after the other, say so. */
static int worker_sockopt_wait(int fd, worker_sockopt_fn is_there, uint64_t value, int looks,
			       int timeout_ms)
{
	const uint64_t begun = clock_ns(CLOCK_MONOTONIC);
	long pause = WORKER_PAUSE_MS;
	int seen = 0;

	for (;;) {
		struct reuseport_worker_sockopt state;
		uint64_t gone;
		int ret = reuseport_worker_get_state(fd, &state, sizeof(state));

		if (ret)
			return ret;
		seen = is_there(&state, value) ? seen + 1 : 0;
		if (seen == looks)
			return 0;
		gone = (clock_ns(CLOCK_MONOTONIC) - begun) / CLOCK_MS;
		if (!seen && timeout_ms >= 0 && gone >= (uint64_t)timeout_ms)
			return -ETIMEDOUT;
		clock_sleep_ms(seen ? WORKER_PAUSE_MS : pause);
		pause = pause * 2 < WORKER_PAUSE_MAX_MS ? pause * 2 : WORKER_PAUSE_MAX_MS;
	}
}

int reuseport_worker_wait(int fd, uint64_t seq, int timeout_ms)
{
	return worker_sockopt_wait(fd, worker_sockopt_is_in_effect, seq, 1, timeout_ms);
}

/* A handshake that ends is in neither count for a moment: so look twice. */
int reuseport_worker_wait_drained(int fd, int timeout_ms)
{
	return worker_sockopt_wait(fd, worker_sockopt_is_drained, 0, 2, timeout_ms);
}
