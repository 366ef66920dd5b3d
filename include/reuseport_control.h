/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: change the policy, weights and rollouts of running attachments.
 * Included by reuseport_bpf.h, whose conventions hold here.
 *
 * Each call comes twice: for the attachments that a filter selects, whoever keeps them,
 * and, with "__", for the one that this process keeps. The first kind names workers as
 * text: "slot:3", "cookie:4097" (or "cookie:0x1001", "sk:1001"), "pid:1234", "comm:nginx" (the
 * name of a process), "unit:nginx" (a systemd unit, or any other part of a cgroup's path),
 * "cgroup:/system.slice" (that cgroup and those below), several of them with commas, or a
 * number alone if it means the same workers by slot, pid and cookie, as far as they fit. A process
 * means the workers that it serves; if it serves none, those whose sockets it has open, as a
 * master of processes does. Processes are looked at when the call is made. The second kind takes a
 * descriptor of the worker's socket; -1 means every worker for admit, undrain and drain status,
 * and is refused elsewhere, as NULL is of the first kind. The filter needs a port: what changes an
 * attachment never means every one of the host.
 *
 * A change takes effect at once: a packet is handled by the state before or by the state
 * after, and when the call returns no packet is handled by the state before. No keeper is
 * needed. Errors of all of them: -ENOENT: nothing is attached there, or there is no such
 * worker. -EINVAL: a word or number is malformed, out of range, or ambiguous, or groups of
 * several users at the same address are selected: set the filter's uid. -EBUSY: another
 * process has been changing the attachment for seconds. -EPERM: a capability is missing, or this
 * process does not keep the handle's group. -EPROTO: the pins are damaged.
 */
#ifndef REUSEPORT_CONTROL_H
#define REUSEPORT_CONTROL_H

#include "reuseport_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Change the policy. Without a name the present policy stays; options that are not given
 * return to their defaults. Workers, slots and counters stay. Where several attachments are
 * selected all are checked before the first is changed. Return how many there were.
 * Policy "least-queue" reads the kernel's sockets: CAP_PERFMON at attach.
 * -EINVAL: also as reuseport_policy_check(), or the map of CPUs names a slot out of range.
 * -ENOSPC: the table has no room for a row for each CPU.
 */
int reuseport_set_policy(const struct reuseport_filter *filter,
			 const struct reuseport_policy_opts *opts, struct reuseport_error *err);
int reuseport_group__set_policy(struct reuseport_group *group,
				const struct reuseport_policy_opts *opts,
				struct reuseport_error *err);

/*
 * Set a worker's weight, 0 to REUSEPORT_WEIGHT_MAX. 0: no new work by any policy; the
 * others count for "consistent", "weighted", "cpu", "numa", "random" and "round-robin". A
 * worker joins with 1. Return the number of workers.
 */
int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err);
int reuseport_group__set_weight(struct reuseport_group *group, int fd, unsigned int weight,
				struct reuseport_error *err);

struct reuseport_drain_opts {
	size_t sz;
	bool release; /* its sticky flows go to the other workers at once */
	bool force;   /* even if a name that means several workers leaves none for new work */
	size_t : 0;
};

/*
 * Give nothing new to a worker: no connection by any policy, nor by the kernel's own pick
 * while another worker may get work. It keeps what is queued or half open, and its sticky
 * flows. opts may be NULL. Return the number of workers. -EEXIST: a name means several workers,
 * and no other of the group may get new work: nothing was changed, unless opts->force is set.
 */
int reuseport_drain(const struct reuseport_filter *filter, const char *worker,
		    const struct reuseport_drain_opts *opts, struct reuseport_error *err);
int reuseport_group__drain(struct reuseport_group *group, int fd,
			   const struct reuseport_drain_opts *opts, struct reuseport_error *err);

/* Give work again to a drained worker, or to one of a generation that a rollout has left
 * behind: it is then of the serving generation. NULL, or fd -1: to all that were drained. Return
 * the number of workers that this changed, which may be 0. */
int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err);
int reuseport_group__undrain(struct reuseport_group *group, int fd, struct reuseport_error *err);

/* Admit a worker that joined under admit "manual"; NULL, or fd -1: all that wait. Return
 * the number of workers that this changed, which may be 0. */
int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err);
int reuseport_group__admit(struct reuseport_group *group, int fd, struct reuseport_error *err);

/* What a worker that gets nothing new still has. */
struct reuseport_drain_status {
	unsigned int slot;
	uint32_t pid;
	uint64_t cookie;
	uint32_t queue;     /* as in struct reuseport_worker */
	uint32_t half_open; /* TCP: handshakes that have begun */
	uint64_t flows;     /* sticky flows that it has */
};

struct reuseport_drain_list;
size_t reuseport_drain_list__count(const struct reuseport_drain_list *list);
const struct reuseport_drain_status *
reuseport_drain_list__get(const struct reuseport_drain_list *list, size_t i);
void reuseport_drain_list__free(struct reuseport_drain_list *list);

/*
 * Read what drained workers and workers of generations that do not serve still have: of
 * one worker, or of all (NULL, or fd -1). A worker that has gone is not listed, and asking
 * for it is no error. The processes are looked at, unless all names are cookies: who waits asks
 * again by those. A worker whose queue and half_open are 0 can be ended without loss. Of TCP, the
 * call with a handle needs CAP_BPF and CAP_PERFMON.
 */
int reuseport_get_drain_status(const struct reuseport_filter *filter, const char *worker,
			       struct reuseport_drain_list **list, struct reuseport_error *err);
int reuseport_group__drain_status(const struct reuseport_group *group, int fd,
				  struct reuseport_drain_list **list, struct reuseport_error *err);

enum reuseport_rollout_step {
	REUSEPORT_ROLLOUT_BEGIN = 1,  /* workers that join from now on are of the next
				       * generation, and wait */
	REUSEPORT_ROLLOUT_SWITCH = 2, /* all new work goes to the next generation */
	REUSEPORT_ROLLOUT_FINISH = 3, /* the old workers may be ended: no way back */
	REUSEPORT_ROLLOUT_ABORT = 4,  /* all new work goes to the old generation (again) */
};

/*
 * Take one step of a rollout in every attachment that the filter selects or, as far as that
 * is known beforehand, in none. Sticky flows stay with their workers. Return how many
 * attachments there were. The model is udpgrm's socket generations.
 *
 * A keeper takes the step SWITCH when a rollout has begun and no worker is left of the generation
 * that serves. A SWITCH when no old worker is left to switch from succeeds, again too.
 *
 * -EALREADY: BEGIN while a rollout runs, or another second SWITCH. -EINVAL: no rollout has begun,
 * FINISH comes before SWITCH, or the step is unknown. -ECHILD: the
 * generation that is to serve has no worker.
 */
int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout_step step,
		      struct reuseport_error *err);
int reuseport_group__rollout(struct reuseport_group *group, enum reuseport_rollout_step step,
			     struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
