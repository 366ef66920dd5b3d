/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Changes of running attachments. Included by reuseport_bpf.h. */
#ifndef REUSEPORT_CONTROL_H
#define REUSEPORT_CONTROL_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- changes */

/*
 * Changes the policy of the attachments that a filter selects, while they work:
 * each packet goes by the old one or by the new one. Workers, slots and counters
 * stay. When it returns, no packet goes by the old one any more. Returns how
 * many attachments there were. No keeper is needed.
 *
 * -ENOENT: nothing is attached there. -EINVAL: as reuseport_policy_check(), or
 * the map of CPUs names a slot out of range. -ENOSPC: the table has not room for
 * a row for each CPU. -EBUSY: another process is changing it for seconds.
 * Policy "least-queue" reads the kernel's sockets: CAP_PERFMON at attach.
 */
int reuseport_set_policy(const struct reuseport_filter *filter,
			 const struct reuseport_policy_opts *opts, struct reuseport_error *err);

struct reuseport_ruled {
	struct reuseport_key key;
	char netns_name[64]; /* as "ip netns" knows it, or "" */
	struct reuseport_rules rules;
};

/*
 * The policies of the attachments that a filter selects; cheaper than a status.
 * Free *list with free(). -ENOENT: nothing is attached there.
 */
int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_ruled **list,
			 size_t *n, struct reuseport_error *err);

/*
 * Sets the weight, 0 to 1000, of a worker: "slot:3", "pid:1234" (all that this
 * process serves), "cookie:4097", or a number alone if only one of these fits.
 * 0: no new work by any policy; the others count for "consistent", "weighted",
 * "cpu", "numa", "random" and "round-robin". A worker joins with 1. Returns the
 * number of workers.
 *
 * -ENOENT: nothing is attached there, or there is no such worker. -EINVAL: out
 * of range, malformed, or the number could mean two workers.
 */
int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err);

/* -------------------------------------------------------- restart without loss */

/*
 * Nothing new goes to the worker from now on: no connection by any policy, not
 * even by the kernel's own pick while another worker may get work. What is queued
 * or half open is still its own, and so are its sticky flows, unless "release"
 * gives them to the others at once. When it returns, no packet is on its way
 * by the state before. Workers are named as for reuseport_set_weight(). Returns
 * the number of workers.
 *
 * -ENOENT: nothing is attached there, or there is no such worker. -EINVAL:
 * malformed, or the number could mean two workers.
 */
int reuseport_drain(const struct reuseport_filter *filter, const char *worker, bool release,
		    struct reuseport_error *err);

/*
 * Takes a worker back that was drained, or that a rollout has left behind: it is
 * then of the generation that serves. Returns how many there were, which may be 0.
 * Errors as for reuseport_drain().
 */
int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err);

/*
 * Admits a worker that joined under admit "manual"; NULL: all that wait. Returns
 * how many there were, which may be 0. Errors as for reuseport_drain().
 */
int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err);

/* What is left at a worker that gets nothing new. */
struct reuseport_left {
	unsigned int slot;
	uint32_t pid;
	uint64_t cookie;
	uint32_t queue;     /* as in struct reuseport_worker */
	uint32_t half_open; /* TCP: handshakes that have begun */
	uint64_t flows;     /* sticky flows that it has */
};

/*
 * What is left at the drained workers, and those of generations that do not
 * serve: of one, or of all (NULL). A worker that has gone is not among them. A
 * worker whose queue and half_open are 0 can be ended without loss. Free *left
 * with free().
 *
 * -ENOENT: nothing is attached there. -EINVAL: malformed, or the number could mean
 * two workers. That there is no such worker (any more) is no error.
 */
int reuseport_left(const struct reuseport_filter *filter, const char *worker,
		   struct reuseport_left **left, size_t *n, struct reuseport_error *err);

enum reuseport_rollout {
	REUSEPORT_ROLLOUT_BEGIN = 1,  /* who joins from now on is of the next generation,
				       * and waits */
	REUSEPORT_ROLLOUT_SWITCH = 2, /* all new work goes to the next generation */
	REUSEPORT_ROLLOUT_FINISH = 3, /* there is no way back: the old ones may be ended */
	REUSEPORT_ROLLOUT_ABORT = 4,  /* all new work goes to the old generation (again) */
};

/*
 * One step of a rollout, in every attachment that the filter selects or, by what
 * can be known beforehand, in none. Each step is atomic: a packet goes by the
 * state before or by the one after, and when the call returns none goes by the
 * one before. Sticky flows stay with their workers. Returns how many attachments
 * there were. Udpgrm's socket generations are the model.
 *
 * -ENOENT: nothing is attached there. -EALREADY: the step was taken before.
 * -EINVAL: another one comes first. -ECHILD: the generation that is to serve has
 * no worker.
 */
int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout step,
		      struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
