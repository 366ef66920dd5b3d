/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: steer SO_REUSEPORT traffic with eBPF.
 *
 * A *group* is the set of sockets that share a network namespace, protocol,
 * family, local address, port, device and user. An *attachment* is a group with a
 * steering program, a socket array whose slots hold the workers' sockets, counters,
 * and the pins that keep all of it under /sys/fs/bpf/reuseport. It outlives every
 * process. The *keeper* is the process that follows the workers of an attachment as
 * they join and leave. An attachment has at most one; it works without one, too.
 *
 *     #include <poll.h>
 *     #include <stdio.h>
 *     #include <netinet/in.h>
 *     #include <reuseport_bpf.h>
 *
 *     int main(void)
 *     {
 *             REUSEPORT_OPTS(reuseport_filter, filter, .proto = IPPROTO_TCP, .port = 8080);
 *             struct reuseport_key_list *keys = NULL;
 *             struct reuseport_group *group = NULL;
 *             struct reuseport_error err;
 *             int ret;
 *
 *             ret = reuseport_find(&filter, &keys, &err);
 *             if (!ret)
 *                     ret = reuseport_attach(reuseport_key_list__get(keys, 0), NULL, &group,
 *                                            &err);
 *             while (ret >= 0) {
 *                     struct pollfd ready = { reuseport_group__fd(group), POLLIN, 0 };
 *
 *                     poll(&ready, 1, -1);
 *                     ret = reuseport_group__process(group, &err);
 *             }
 *             fprintf(stderr, "%s\n", err.text);
 *             reuseport_group__free(group);
 *             reuseport_key_list__free(keys);
 *             return 1;
 *     }
 *
 * Conventions
 * - A call returns 0 or a count, or -errno. It writes its outputs on success only.
 * - A call that takes a struct reuseport_error fills it on failure with one line: what
 *   failed, why, and what to do. The pointer may be NULL.
 * - Every structure that is passed in begins with "sz": set it to sizeof the structure,
 *   best with REUSEPORT_OPTS or REUSEPORT_INIT, and leave what you do not know zero.
 *   Members are only ever added at the end, behind the padding. -EINVAL: sz is not set.
 *   -E2BIG: a member that this library does not know is not zero.
 * - Structures that are returned may gain members at the end, too. Read them through
 *   the pointer that you got, and never copy one or compute its address. Lists have
 *   accessors: __count, __get (NULL past the end), __free. What __get returns belongs to
 *   the list.
 * - Destructors accept NULL.
 * - A required pointer that is NULL is -EINVAL in calls that return an error. Calls that only
 *   read a handle return nothing, 0 or -1 for NULL.
 * - Names of processes and of network namespaces are as their owners chose them and can
 *   contain any byte: escape them before you print them. The text of an error may have a
 *   part of one in it, but no ASCII control character.
 * - Threads: different handles and lists may be used from different threads, one from
 *   one thread at a time. A call that works in another network namespace moves the
 *   calling thread there and back. The library starts no threads. It silences libbpf's
 *   messages in the threads that load BPF code, and leaves the application's print
 *   callback as it was.
 * - Needs Linux 5.6 with BTF, that is, the features that reuseport_features() marks as
 *   needed.
 * - Capabilities of every call that looks at groups of the host or changes them: CAP_BPF,
 *   CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_PTRACE; CAP_SYS_ADMIN to enter another network
 *   namespace, to mount bpffs and to name other programs. -EPERM: one is missing, named in
 *   the text. And to be the user whom the bpffs belongs to, root as a rule, or to have
 *   CAP_DAC_OVERRIDE: else -EACCES. Calls that take a handle of a group need none of this, but for
 *   what they name; before Linux 5.19 they need CAP_BPF where the sysctl
 *   kernel.unprivileged_bpf_disabled is set. Other calls with other needs say so.
 * - The pinned maps are described in bpf/abi.h of the sources, for bpftool and the like.
 *   Programs use this header: it is stable within a major version, the maps are not.
 */
#ifndef REUSEPORT_BPF_H
#define REUSEPORT_BPF_H

#include "reuseport_control.h"
#include "reuseport_group.h"
#include "reuseport_status.h"
#include "reuseport_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Return the library's version, "major.minor.patch". */
const char *reuseport_version(void);

/*
 * Write the inode of a network namespace: of the caller's own (name NULL), of a name as
 * "ip netns" has it, or of the process with that pid. Needs no capability for one's own.
 * -ENOENT: there is no such namespace or process. -EINVAL: the name is empty, ".", "..", has a
 * slash, or is longer than 64 bytes.
 */
int reuseport_netns(const char *name, uint64_t *inode, struct reuseport_error *err);

/*
 * Write the index of a network device in a network namespace; the name may be the index as text.
 * -ENODEV: there is no such device. -ENETDOWN: the namespace is gone.
 */
int reuseport_device(uint64_t netns, const char *name, uint32_t *ifindex,
		     struct reuseport_error *err);

/* -------------------------------------------------------------- discovery */

struct reuseport_key_list;
size_t reuseport_key_list__count(const struct reuseport_key_list *list);
const struct reuseport_key *reuseport_key_list__get(const struct reuseport_key_list *list,
						    size_t i);
void reuseport_key_list__free(struct reuseport_key_list *list);

/* Copy a key, which may be one that the library returned, to one whose sz is set. Needs no
 * capability. -EINVAL: sz of one of them is not set. */
int reuseport_key_copy(struct reuseport_key *to, const struct reuseport_key *from,
		       struct reuseport_error *err);

/*
 * Find the groups that a filter selects with sock_diag: TCP sockets that listen, UDP
 * sockets that are bound and not connected. filter->port is required. Without filter->proto,
 * find the groups of both protocols; one of them may have no socket there.
 *
 * -ENOENT: no socket is on that port. -EINVAL: the filter is incomplete or its address is
 * malformed. -EOPNOTSUPP: there are sockets, but none set SO_REUSEPORT before bind(); the
 * text says how to turn it on in the server at hand. -EADDRINUSE: they share the port
 * with SO_REUSEADDR alone. -EAGAIN: no process that could be looked at has the sockets open.
 */
int reuseport_find(const struct reuseport_filter *filter, struct reuseport_key_list **keys,
		   struct reuseport_error *err);

/* A group of the host, steered or not. */
struct reuseport_group_info {
	const struct reuseport_key *key;
	char netns_name[64];  /* as "ip netns" has it, or "" */
	uint32_t uid;         /* effective user id of the members */
	unsigned int sockets; /* members */
	bool program_known;   /* false: the kernel has no iterators (5.9), so what is
			       * pinned is taken to be attached */
	bool has_program;
	bool own;            /* the program is this toolkit's, and pinned in this bpffs */
	uint32_t program_id; /* 0: classic BPF */
	char program_name[64];
};

struct reuseport_group_list;
size_t reuseport_group_list__count(const struct reuseport_group_list *list);
const struct reuseport_group_info *
reuseport_group_list__get(const struct reuseport_group_list *list, size_t i);
void reuseport_group_list__free(struct reuseport_group_list *list);

/* List every group in every network namespace that a process or a name keeps alive. An
 * empty list is success. */
int reuseport_list(const struct reuseport_filter *filter, struct reuseport_group_list **groups,
		   struct reuseport_error *err);

/* --------------------------------------------------------------- policies */

struct reuseport_policy {
	const char *name;
	const char *summary; /* one line */
};

/* Return the policy with that number, counted from 0, or NULL past the last one. It is
 * static. */
const struct reuseport_policy *reuseport_policy_at(size_t i);

/*
 * Check a policy's words, as far as that is possible without a group. Needs no
 * capability. -EINVAL: a word is unknown (the text suggests the nearest policy) or does
 * not go with the policy.
 */
int reuseport_policy_check(const struct reuseport_policy_opts *opts, struct reuseport_error *err);

/* ----------------------------------------------------------------- attach */

/* level is one of syslog's: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG. */
typedef void (*reuseport_log_fn)(void *ctx, int level, const char *line);

struct reuseport_attach_opts {
	size_t sz;
	const char *policy; /* this and the four below: as in struct reuseport_policy_opts;
			     * all NULL: an adopted policy is unchanged */
	const char *over;
	const char *key;
	const char *hash_key;
	const char *cpu_map;
	const char *admit;    /* "auto" (default): a worker gets work as soon as it joins;
			       * "manual": not before it is admitted. NULL: unchanged */
	reuseport_log_fn log; /* called by reuseport_attach() and reuseport_group__process() */
	void *log_ctx;
	unsigned int slots;         /* 1 to REUSEPORT_SLOTS_MAX; 0: 256, doubled until it is
				     * twice the members */
	unsigned int table_entries; /* a power of two, REUSEPORT_TABLE_MIN to
				     * REUSEPORT_TABLE_MAX; 0: 4096 for each member, but
				     * 16384 to 524288 */
	unsigned int flows;         /* UDP: number of sticky flows (4-tuples that stay with their
				     * worker), REUSEPORT_FLOWS_MIN to REUSEPORT_FLOWS_MAX, rounded
				     * up to a multiple of 8; 0: flows are not sticky. 16 bytes a
				     * flow. A flow can be in one of 8 places; a new one replaces
				     * the one unseen for longest. With as many active flows as
				     * this number one in seven has no place, with half as many
				     * one in 100, with a quarter one in 10,000 */
	unsigned int idle_s;        /* seconds, up to REUSEPORT_IDLE_MAX, after which a sticky flow
				     * is new again; 0: never. Only with flows */
	bool force;                 /* replace another program, also one of this toolkit that is
				     * pinned in another bpffs or not at all */
	bool for_keeper;            /* the group is about to be left to the host's keeper, see
				     * reuseport_keeper.h; otherwise that gives it back when a
				     * process that kept it attaches again */
	const char *log_file;       /* absolute path for messages of the host's keeper, which
				     * is told it; at most 255 bytes. NULL: unchanged */
	bool partial;               /* steer a group although members of it cannot be taken */
	bool keep_weights;          /* a worker that takes a slot has the weight that the one before
				     * had there; otherwise 1 */
	unsigned int events; /* room for events, 48 bytes each, up to REUSEPORT_EVENTS_MAX, see
			      * reuseport_group__next_event(); 0: none are kept */
	bool no_sockopt;     /* workers may not control themselves by socket options, see
			      * reuseport_sockopt.h: they are told EPERM */
	bool wait_ready;     /* with admit "manual": members that are there already wait,
			      * too, until they say REUSEPORT_READY. Until the first one is
			      * ready the kernel picks among all. Adopted ones stay as they
			      * are */
	size_t : 0;
};

/*
 * Steer a group: take its sockets from the processes that hold them, fill the array,
 * attach the program, pin everything, and become the keeper until __free or the end of
 * this process. Where pins of the same group exist and have no keeper, adopt them: same
 * slots, same counters. On failure the system is as it was.
 *
 * A child made by fork() does not keep: there the handle's descriptors are closed, and
 * only __free may be called; but see __hand_over.
 *
 * No member decides for the others. One whose process cannot be looked into, or that has been
 * closed meanwhile, gets no slot, which is logged, and the program is attached through any member
 * that takes it. But where members are of a kind that cannot be taken (enum reuseport_left_out),
 * they would get little or nothing: -EOPNOTSUPP, unless opts->partial is set.
 *
 * -EBUSY: a keeper is running, or the sockets are in another program's array. -EEXIST: the
 * group has another program, which is not pinned in this bpffs, and opts->force is not set.
 * -EPERM: also if each member has locked its socket with SO_LOCK_FILTER. -ENOENT: the group
 * has no member, or none that is visible here. -ENOSPC: it has more members than slots.
 * -EPROTO: the pins are damaged, or of an ABI version that cannot be carried over, as those
 * from 4 on are. -EINVAL: an option is out of range
 * or unknown, or differs from that of the pins that are adopted; flows are asked for on TCP;
 * or the key has no uid and groups of several users have it. -ENODEV: there is no bpffs.
 * -ENETDOWN: the network namespace is gone. -EOPNOTSUPP: the
 * kernel lacks something that steering needs, named in the text. What it lacks beyond
 * that is logged, and shown by reuseport_get_status().
 */
int reuseport_attach(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		     struct reuseport_group **group, struct reuseport_error *err);

/* What is attached to a group, and the first of the options that differs from it. */
struct reuseport_attach_difference {
	size_t sz;
	uint32_t keeper_pid;
	unsigned int workers;
	char pin[REUSEPORT_PATH_MAX];    /* the directory */
	char option[REUSEPORT_NAME_MAX]; /* a member of struct reuseport_attach_opts */
	char is[64], wanted[64];         /* its values, as text */
	bool differs;                    /* else the last three are empty */
	bool by_policy;                  /* reuseport_set_policy() can change it; otherwise only
					  * a detach and another attach can */
	size_t : 0;
};

/*
 * Compare what is attached to a group, and has a keeper, with the options for an attach; those
 * that are not set count as equal. Return 1, or 0 if nothing is attached there, or it has no
 * keeper: then reuseport_attach() attaches or adopts. -EINVAL: as there.
 */
int reuseport_attach_compare(const struct reuseport_key *key,
			     const struct reuseport_attach_opts *opts,
			     struct reuseport_attach_difference *difference,
			     struct reuseport_error *err);

/*
 * See whether a group whose attachment is kept has its program, and put it back where it has
 * none; force: also in place of another one. Return 1 if it was put back, 0 if it was there, or
 * if the kernel does not tell (before 5.9), or the group has no member. -EEXIST: the group has
 * another program, which the text names. Other errors: as of reuseport_attach().
 */
int reuseport_attach_mend(const struct reuseport_key *key, bool force, struct reuseport_error *err);

/*
 * Note for a group whose attachment is kept that members of it may be left out, as opts->partial
 * does for a new one. -ENOENT: nothing is attached there. Other errors: as of reuseport_attach().
 */
int reuseport_attach_partial(const struct reuseport_key *key, struct reuseport_error *err);

/* Return a descriptor that is readable when __process has something to do. It belongs to
 * the handle. */
int reuseport_group__fd(const struct reuseport_group *group);

/*
 * Do a part of the pending work (some milliseconds) without waiting for events: joins,
 * leaves, comparison with the kernel. While work is left, __fd stays readable. After each new
 * table one call waits until the kernel has left the old one, some 10 ms.
 * Return the number of workers that joined or left. To let a socket join that is not added, it
 * needs CAP_SYS_PTRACE, unless a process of the caller's own user has it open.
 *
 * -ESHUTDOWN: the group is being detached, or its pins are gone; if they were removed by
 * hand, this call has tried to take the program off, and the text says whether it could.
 * -ENETDOWN: its network namespace is gone, and the pins are removed. After both only __free is
 * left. -EPERM: another process keeps the group, as after fork(). Other failures are temporary:
 * they are logged and tried again.
 */
int reuseport_group__process(struct reuseport_group *group, struct reuseport_error *err);

/* Give the keeping to the child of the next fork(). There the handle works, once
 * reuseport_group__keep() has recorded the process; here only __free is left. */
int reuseport_group__hand_over(struct reuseport_group *group, struct reuseport_error *err);

/* Record the calling process as the keeper, as status shows it. Needed after a fork()
 * that was announced by __hand_over. -EPERM: this process does not keep the group. */
int reuseport_group__keep(struct reuseport_group *group, struct reuseport_error *err);

/* Return whether the group was steered before; the number of workers in the array; the
 * directory of the pins, and the key, which belong to the handle. */
bool reuseport_group__adopted(const struct reuseport_group *group);
unsigned int reuseport_group__workers(const struct reuseport_group *group);
const char *reuseport_group__pin(const struct reuseport_group *group);
const struct reuseport_key *reuseport_group__key(const struct reuseport_group *group);

/*
 * Give selection back to the kernel, empty the array and remove the pins. After success
 * only __free is left; after a failure the group is kept as before. Needs CAP_SYS_PTRACE, unless
 * a process of the caller's own user has a socket of the group open, or it has none.
 * -EOPNOTSUPP: the kernel cannot take a program off a group (feature "detach").
 */
int reuseport_group__detach(struct reuseport_group *group, struct reuseport_error *err);

/* Stop keeping, and free the handle. Steering goes on. */
void reuseport_group__free(struct reuseport_group *group);

/*
 * The same for attachments that this process does not keep: end the command's keeper,
 * give selection back to the kernel, empty the array and remove the pins of each one that
 * the filter selects. filter->port is required. Works without a keeper, without workers
 * and with damaged pins. The program is off when the call returns. Another program is left
 * alone. Return how many were detached.
 *
 * All is checked before anything is changed. -ENOENT: nothing is attached there. -EEXIST: a
 * group has a program of this toolkit that is not pinned here, see the next call. -EDEADLK:
 * this process keeps one of them: use reuseport_group__detach(). -ESRCH: no process that has
 * a socket of the group open is visible here, as in another PID namespace. -EOPNOTSUPP: as
 * above. -EBUSY: another program keeps one and does not release it, or attaches the program
 * again.
 */
int reuseport_detach(const struct reuseport_filter *filter, struct reuseport_error *err);

/*
 * Take programs of this toolkit (by their name) that are not pinned off the groups that a
 * filter selects; filter->port is required. It is for programs whose pins were removed. A
 * keeper of theirs, and pins in a bpffs that is not visible here, as that of a container,
 * are left. Return the number of groups. -ENOENT: there is no such program.
 * -EBUSY: another bpffs of this mount namespace has it pinned. -ESRCH, -EOPNOTSUPP: as above.
 */
int reuseport_detach_unpinned(const struct reuseport_filter *filter, struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
