// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach: steer a group, or adopt what is pinned for it; all or nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "host/topology.h"
#include "keeper/adopt.h"
#include "keeper/asked.h"
#include "keeper/attach.h"
#include "keeper/attach_left_out.h"
#include "keeper/attach_opts.h"
#include "keeper/attach_stopped.h"
#include "keeper/carry_over.h"
#include "keeper/degraded.h"
#include "keeper/event_queue.h"
#include "keeper/event_sources.h"
#include "keeper/handle_owner.h"
#include "keeper/keeper_lock.h"
#include "keeper/membership.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "policy/limits.h"
#include "policy/policy.h"
#include "sockets/group_members.h"
#include "sockets/sockarray_evict.h"
#include "state/apply_policy.h"
#include "state/attachment.h"
#include "state/flow_table.h"
#include "state/pin_dir.h"
#include "state/pins.h"
#include "state/plan_lock.h"
#include "state/sockarray.h"
#include "state/sockopt_members.h"
#include "state/steering_load.h"

/* Another attachment's array releases its sockets a moment after it is gone. */
#define BUSY_TRIES 50
#define BUSY_PAUSE_MS 10

/* And a member may be handed over at this moment. */
#define HOPELESS_TRIES 2
#define HOPELESS_PAUSE_MS 50

static struct steering_size attach_choose_size(const struct reuseport_attach_opts *opts,
					       size_t members)
{
	struct steering_size size = { .slots = opts->slots,
				      .table_entries = opts->table_entries,
				      .cpus = topology_cpus(),
				      .flows = limits_flows_rounded(opts->flows),
				      .idle_ticks = opts->idle_s * flow_table_hz(),
				      .attached_ns = clock_ns(CLOCK_BOOTTIME) };

	if (!size.slots)
		size.slots = limits_slots_for(members);
	if (!size.table_entries)
		size.table_entries = limits_table_for(members);
	return size;
}

/* ------------------------------------------------------- a group without pins */

static int attach_learn_netns(struct reuseport_group *group, struct reuseport_error *err)
{
	struct netns_visit visit;
	int ret = netns_enter(&group->ns, &visit, err);

	if (ret)
		return ret;
	ret = netns_cookie(&group->ns.cookie, err);
	netns_leave(&visit);
	group->at.key.netns_cookie = group->ns.cookie;
	return ret;
}

static int attach_describe(struct reuseport_group *group, const struct steering_size *size,
			   const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct attachment_entry *entry = &group->at.entry;
	int ret;

	*entry = (struct attachment_entry){
		.abi_version = REUSEPORT_ABI_VERSION,
		.slots = size->slots,
		.table_entries = size->table_entries,
		.cpus = size->cpus,
		.flows = size->flows,
		.idle_ticks = size->idle_ticks,
		.flow_key = { size->flow_key[0], size->flow_key[1] },
		.keeper_pid = getpid(),
		.netns_cookie = group->ns.cookie,
		.attached_ns = size->attached_ns,
		.migrates = group->at.steering.migrates,
		.plain_reads = group->at.steering.plain_reads,
		.tells = group->at.steering.tells,
		.partial = opts->partial,
		.keep_weights = opts->keep_weights,
		.no_sockopt = opts->no_sockopt,
	};
	group_key_to_entry(&group->at.key, entry);
	group->slots = calloc(size->slots, sizeof(*group->slots));
	if (!group->slots)
		return fail(err, ENOMEM, "out of memory");
	ret = attachment_write_entry(&group->at, err);
	return ret ? ret : attachment_map(&group->at, err);
}

/* Fill the array. Wait for sockets that another array is about to release, after a detach. */
static int attach_fill(struct reuseport_group *group, const struct sock_diag_list *members,
		       struct membership_fill *fill, struct reuseport_error *err)
{
	int ret = -EBUSY;

	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		if (tries)
			clock_sleep_ms(BUSY_PAUSE_MS);
		ret = membership_fill(group, members, fill, err);
		if (!fill->busy)
			break;
	}
	return ret;
}

/* Fill the array. With a program to replace, the sockets may be in its array: until ours is
 * attached, that program finds empty slots and the kernel selects. */
static int attach_fill_replacing(struct reuseport_group *group, const struct group_members *members,
				 struct membership_fill *fill, struct sockarray_eviction *eviction,
				 struct reuseport_error *err)
{
	int ret = attach_fill(group, &members->sockets, fill, err), evicted;

	if (!fill->busy || !members->program.present)
		return ret;
	evicted = sockarray_evict(members->program.id, &members->sockets, eviction,
				  ret ? err : NULL);
	if (evicted)
		return ret ? evicted : 0;
	return attach_fill(group, &members->sockets, fill, err);
}

static int attach_pin(struct reuseport_group *group, const struct reuseport_attach_opts *opts,
		      struct reuseport_error *err)
{
	const struct reuseport_policy_opts words = policy_words_of_attach(opts);
	int ret = apply_policy(&group->at, &words, opts->admit, err);

	if (ret >= 0)
		ret = plan_lock_make(&group->at, err);
	return ret ? ret : steering_pin(&group->at.steering, group->at.dir, group->at.pin, err);
}

/* Pin, and attach the program. Attaching is the last step: it replaces what is there at once,
 * and nothing after it can fail. */
static int attach_pin_filled(struct reuseport_group *group, const struct group_members *members,
			     const struct membership_fill *fill,
			     const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	int ret = attach_pin(group, opts, err);

	return ret || !group->workers ?
		       ret :
		       program_attach_any(group, &members->sockets, &fill->owners, err);
}

/* Refuse the group if members cannot be taken. One may be on its way from one process to another,
 * so look again. */
static int attach_refuse_hopeless(struct reuseport_group *group,
				  const struct group_members *members, struct membership_fill *fill,
				  struct reuseport_error *err)
{
	int ret = attach_refuse_partial(group, members, fill, err);

	for (int tries = 0; ret && tries < HOPELESS_TRIES; tries++) {
		clock_sleep_ms(HOPELESS_PAUSE_MS);
		ret = attach_fill(group, &members->sockets, fill, err);
		if (!ret)
			ret = attach_refuse_partial(group, members, fill, err);
	}
	return ret;
}

static int attach_take(struct reuseport_group *group, const struct group_members *members,
		       const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct sockarray_eviction eviction = { 0 };
	struct membership_fill fill = { 0 };
	int ret = attach_fill_replacing(group, members, &fill, &eviction, err);

	/* Those that cannot be taken may be added. */
	if (ret && group->opened && opts->partial && !fill.busy && !error_is_limit(ret))
		ret = 0;
	if (!ret && !opts->partial)
		ret = attach_refuse_hopeless(group, members, &fill, err);
	if (!ret)
		asked_before_publish(group, opts->wait_ready);
	if (!ret)
		ret = attach_pin_filled(group, members, &fill, opts, err);
	if (ret) {
		sockarray_empty(group->at.steering.maps[MAP_SOCKETS]);
		sockarray_evict_undo(&eviction, &members->sockets);
	} else {
		attach_log_left_out(group, members, &fill);
	}
	sockarray_evict_free(&eviction);
	membership_fill_end(&fill);
	return ret;
}

/* Check that the group's program, if it has one, may be replaced. */
static int attach_check_present(const struct reuseport_group *group,
				const struct group_members *members, struct reuseport_error *err)
{
	int ret = program_attach_check(group, members, err);

	bool replaces = group->replaces && members->program.id == group->replaces;

	if (ret == -EEXIST && (group->force || replaces))
		return 0;
	return ret < 0 ? ret : 0;
}

static int attach_load(struct reuseport_group *group, const struct group_members *members,
		       const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	size_t n = members->sockets.n;
	struct steering_size size = attach_choose_size(opts, n);
	int ret;

	if (!n && !group->opened)
		return fail(err, EOPNOTSUPP,
			    "%s: the sockets do not share their port with "
			    "SO_REUSEPORT",
			    group->at.text);
	if (n > size.slots)
		return fail(err, ENOSPC,
			    "%s has %zu workers, more than %u slots: attach with %zu slots "
			    "or more",
			    group->at.text, n, size.slots, n);
	ret = attach_check_present(group, members, err);
	if (!ret && size.flows &&
	    getrandom(size.flow_key, sizeof(size.flow_key), 0) != sizeof(size.flow_key))
		ret = fail(err, errno, "cannot get random bytes: %s", strerror(errno));
	if (!ret)
		ret = steering_load(&group->at.steering, &size, group->at.key.proto,
				    group->features, err);
	if (!ret)
		ret = attach_describe(group, &size, opts, err);
	handle_note(group, opts);
	if (!ret)
		ret = event_sources_open(group, err);
	if (ret)
		return ret;
	/* The first member that is added or joins gets the program. */
	return n && !group->added_only ? attach_take(group, members, opts, err) :
					 attach_pin(group, opts, err);
}

/* Attach to a group without pins. Others see meanwhile that it is under way: see
 * attachment_is_being_made(). */
static int attach_new(struct reuseport_group *group, const struct group_members *members,
		      const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	int ret = pin_dir_make(group->at.dir, PIN_ATTACHING);

	if (ret < 0)
		return fail(err, -ret, "cannot make %s/" PIN_ATTACHING ": %s", group->at.pin,
			    strerror(-ret));
	ret = attach_load(group, members, opts, err);
	if (!ret)
		asked_steer(group);
	pin_dir_unmake(group->at.dir, PIN_ATTACHING);
	return ret;
}

/* ----------------------------------------------------------------- attach */

/* Read the members of the group. A key that has no uid receives theirs. */
static int attach_read_members(struct reuseport_group *group, struct group_members *members,
			       struct reuseport_error *err)
{
	struct reuseport_key *key = &group->at.key;
	int ret;

	ret = handle_open_reader(group, err);
	if (!ret)
		ret = group_members_read(key, &group->ns, group->reader, 0, members, err);
	if (ret || key->has_uid || !members->sockets.n)
		return ret;
	if (members->several_uids)
		return fail(err, EINVAL, "%s has groups of several users: name the uid",
			    group->at.text);
	key->uid = members->sockets.sockets[0].key.uid;
	key->has_uid = true;
	return 0;
}

/* Why an attachment is made or adopted. */
enum attach_purpose {
	ATTACH_TO_KEEP, /* it may be made */
	ATTACH_OPEN,    /* also without a member */
	ATTACH_ADOPT,   /* for the host's keeper */
	ATTACH_PASSING, /* for one look */
};

/* Lock the pins; carry them over first where an older version has made them. */
static int attach_lock(struct reuseport_group *group, struct group_members *members,
		       const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	int ret = carry_over(group, members, opts, err);

	if (ret <= 0)
		return ret ? ret : keeper_lock(group, err);
	/* The group has another program than when they were read. */
	group_members_free(members);
	return attach_read_members(group, members, err);
}

static int attach_or_adopt(struct reuseport_group *group, const struct reuseport_attach_opts *opts,
			   enum attach_purpose purpose, struct reuseport_error *err)
{
	struct group_members members = { 0 };
	bool may_attach;
	int ret;

	ret = attach_learn_netns(group, err);
	if (!ret)
		ret = attach_read_members(group, &members, err);
	if (!ret)
		ret = attach_lock(group, &members, opts, err);
	if (!ret) {
		ret = adopt(group, &members, opts, err);
		may_attach = purpose == ATTACH_OPEN ||
			     (purpose == ATTACH_TO_KEEP && members.on_key);
		if (ret == -ENOENT) {
			ret = may_attach ? attach_new(group, &members, opts, err) :
					   fail(err, ENOENT, "%s has no worker", group->at.text);
			if (ret) {
				sockopt_members_remove_pinned(&group->at);
				pins_remove(group->at.dir, group->at.pin);
				ret = attach_stopped(group, &members, ret, err);
			}
		}
	}
	group_members_free(&members);
	return ret;
}

/* Advise, once, to keep others out of bpffs. */
static void attach_log_exposed(const struct reuseport_group *group)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!group->log || !pin_dir_is_exposed(group->at.dir) || atomic_flag_test_and_set(&said))
		return;
	handle_log(group, LOG_WARNING,
		   "other users may make files in bpffs, and so be in the way of the next "
		   "attach: chmod 0700 " BPFFS);
}

/* Return 0 if this process may do so, or -EPERM. */
static int attach_check_caps(enum attach_purpose purpose, struct reuseport_error *err)
{
	return purpose == ATTACH_OPEN ?
		       caps_require_of(CAP_TO_LOAD | CAP_TO_READ, "open a group", err) :
		       caps_require("attach", err);
}

static int attach_prepare_events(struct reuseport_group *group,
				 const struct reuseport_attach_opts *opts,
				 struct reuseport_error *err)
{
	if (!opts->events)
		return 0;
	group->events = event_queue_new(opts->events);
	return group->events ? 0 : fail(err, ENOMEM, "out of memory");
}

static int attach_group(const struct reuseport_key *from_key,
			const struct reuseport_attach_opts *from, enum attach_purpose purpose,
			struct handle_shared *shared, struct reuseport_group **out,
			struct reuseport_error *err)
{
	struct reuseport_attach_opts opts;
	struct reuseport_group *group;
	struct reuseport_key key;
	char names[128];
	int ret;

	ret = group_key_copy(&key, from_key, err);
	if (!ret && !out)
		ret = fail(err, EINVAL, "attach needs a place for the handle");
	if (!ret)
		ret = attach_check_opts(from, &opts, err);
	if (!ret && opts.flows && key.proto != IPPROTO_UDP)
		ret = fail(err, EINVAL,
			   "sticky flows are for UDP: a TCP connection stays with its "
			   "worker anyway");
	if (!ret)
		ret = attach_check_caps(purpose, err);
	if (ret)
		return ret;
	ret = handle_new(&key, &opts, shared, &group, err);
	if (ret)
		return ret;
	group->opened = purpose == ATTACH_OPEN;
	group->added_only = group->opened && caps_missing(CAP_TO_DUPLICATE, names, sizeof(names));
	group->own = purpose <= ATTACH_OPEN && !opts.for_keeper;
	handle_own(group);
	group->passing = purpose == ATTACH_PASSING;
	ret = attach_prepare_events(group, &opts, err);
	if (!ret)
		ret = attach_or_adopt(group, &opts, purpose, err);
	if (ret) {
		reuseport_group__free(group);
		return ret;
	}
	degraded_log(group);
	attach_log_exposed(group);
	*out = group;
	return 0;
}

int reuseport_attach(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		     struct reuseport_group **group, struct reuseport_error *err)
{
	return attach_group(key, opts, ATTACH_TO_KEEP, NULL, group, err);
}

int attach_open(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		struct reuseport_group **group, struct reuseport_error *err)
{
	return attach_group(key, opts, ATTACH_OPEN, NULL, group, err);
}

int attach_adopt(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		 struct handle_shared *shared, struct reuseport_group **group,
		 struct reuseport_error *err)
{
	return attach_group(key, opts, ATTACH_ADOPT, shared, group, err);
}

int attach_refresh(const struct reuseport_key *key, struct reuseport_error *err)
{
	struct reuseport_group *group;
	int ret = attach_group(key, NULL, ATTACH_PASSING, NULL, &group, err);

	if (!ret)
		reuseport_group__free(group);
	return ret;
}
