// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * capabilities: each public call succeeds with exactly the capabilities that the headers name, and
 * without one of them fails with -EPERM and names it. Prints TAP. Needs root, and a free TCP port
 * of 127.0.0.1: capabilities PORT
 */
#include <reuseport_bpf.h>
#include <reuseport_doctor.h>
#include <reuseport_explain.h>
#include <reuseport_isolate.h>
#include <reuseport_keeper.h>
#include <reuseport_list.h>
#include <reuseport_simulate.h>
#include <reuseport_worker.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "effective.h"
#include "sockets.h"

#define NOBODY 65534

static REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP);
static struct reuseport_key key;
static struct reuseport_group *group;
static int member;

/* ---------------------------------------------------------------- the calls */

static int call_open(struct reuseport_error *err)
{
	return reuseport_group__open(&key, NULL, &group, err);
}

static int call_open_fd(struct reuseport_error *err)
{
	return reuseport_group__open_fd(member, NULL, &group, err);
}

static int call_attach(struct reuseport_error *err)
{
	return reuseport_attach(&key, NULL, &group, err);
}

static int call_attach_compare(struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_attach_opts, opts, .policy = "consistent");
	REUSEPORT_OPTS(reuseport_attach_difference, difference, .differs = false);

	return reuseport_attach_compare(&key, &opts, &difference, err);
}

static int call_attach_mend(struct reuseport_error *err)
{
	return reuseport_attach_mend(&key, false, err);
}

static int call_attach_partial(struct reuseport_error *err)
{
	return reuseport_attach_partial(&key, err);
}

static int call_find(struct reuseport_error *err)
{
	struct reuseport_key_list *list = NULL;
	int ret = reuseport_find(&here, &list, err);

	reuseport_key_list__free(list);
	return ret;
}

static int call_list(struct reuseport_error *err)
{
	struct reuseport_group_list *list = NULL;
	int ret = reuseport_list(&here, &list, err);

	reuseport_group_list__free(list);
	return ret;
}

static int call_detach(struct reuseport_error *err)
{
	int ret;

	/* Not kept by the handle, which could not be detached so. */
	reuseport_group__free(group);
	group = NULL;
	ret = reuseport_detach(&here, err);
	return ret;
}

static int call_detach_unpinned(struct reuseport_error *err)
{
	int ret = reuseport_detach_unpinned(&here, err);

	/* There is no such program. */
	return ret == -ENOENT ? 0 : ret;
}

static int call_get_status(struct reuseport_error *err)
{
	struct reuseport_status_list *list = NULL;
	int ret = reuseport_get_status(&here, &list, err);

	reuseport_status_list__free(list);
	return ret;
}

static int call_get_policy(struct reuseport_error *err)
{
	struct reuseport_policy_list *list = NULL;
	int ret = reuseport_get_policy(&here, &list, err);

	reuseport_policy_list__free(list);
	return ret;
}

static int call_set_policy(struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_policy_opts, words, .policy = "consistent");

	return reuseport_set_policy(&here, &words, err);
}

static int call_set_weight(struct reuseport_error *err)
{
	return reuseport_set_weight(&here, "slot:0", 2, err);
}

static int call_drain(struct reuseport_error *err)
{
	return reuseport_drain(&here, "slot:0", NULL, err);
}

static int call_undrain(struct reuseport_error *err)
{
	return reuseport_undrain(&here, "slot:0", err);
}

static int call_admit(struct reuseport_error *err)
{
	return reuseport_admit(&here, NULL, err);
}

static int call_get_drain_status(struct reuseport_error *err)
{
	struct reuseport_drain_list *list = NULL;
	int ret = reuseport_get_drain_status(&here, "slot:0", &list, err);

	reuseport_drain_list__free(list);
	return ret;
}

static int call_rollout(struct reuseport_error *err)
{
	int ret = reuseport_rollout(&here, REUSEPORT_ROLLOUT_BEGIN, err);

	return ret < 0 ? ret : reuseport_rollout(&here, REUSEPORT_ROLLOUT_ABORT, err);
}

static int call_diagnose(struct reuseport_error *err)
{
	struct reuseport_finding_list *list = NULL;
	int ret = reuseport_diagnose(&here, &list, err);

	reuseport_finding_list__free(list);
	return ret;
}

static int call_explainer(struct reuseport_error *err)
{
	struct reuseport_explainer *explainer = NULL;
	int ret = reuseport_explainer__new(&explainer, err);

	reuseport_explainer__free(explainer);
	return ret;
}

static int call_keeper(struct reuseport_error *err)
{
	struct reuseport_keeper *keeper = NULL;
	int ret = reuseport_keeper_open(NULL, &keeper, err);

	reuseport_keeper__free(keeper);
	return ret;
}

/* ------------------------------------------------------------- of a handle */

static int call_own_drain_status(struct reuseport_error *err)
{
	struct reuseport_drain_list *list = NULL;
	int ret;

	/* One that has nothing to read is no measure. */
	reuseport_group__drain(group, member, NULL, NULL);
	ret = reuseport_group__drain_status(group, -1, &list, err);
	reuseport_drain_list__free(list);
	return ret;
}

static int call_add(struct reuseport_error *err)
{
	return reuseport_group__add(group, member, err);
}

static int call_process(struct reuseport_error *err)
{
	int ret = 0;

	for (int i = 0; ret >= 0 && i < 10; i++)
		ret = reuseport_group__process(group, err);
	return ret;
}

static int call_next_event(struct reuseport_error *err)
{
	(void)err;
	return reuseport_group__next_event(group) ? -EINVAL : 0;
}

static int call_own_set_policy(struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_policy_opts, words, .policy = "consistent");

	return reuseport_group__set_policy(group, &words, err);
}

static int call_own_set_weight(struct reuseport_error *err)
{
	return reuseport_group__set_weight(group, member, 2, err);
}

static int call_own_drain(struct reuseport_error *err)
{
	return reuseport_group__drain(group, member, NULL, err);
}

static int call_own_undrain(struct reuseport_error *err)
{
	return reuseport_group__undrain(group, -1, err);
}

static int call_own_admit(struct reuseport_error *err)
{
	return reuseport_group__admit(group, -1, err);
}

static int call_own_rollout(struct reuseport_error *err)
{
	int ret = reuseport_group__rollout(group, REUSEPORT_ROLLOUT_BEGIN, err);

	return ret < 0 ? ret : reuseport_group__rollout(group, REUSEPORT_ROLLOUT_ABORT, err);
}

static int call_own_status(struct reuseport_error *err)
{
	struct reuseport_status_list *list = NULL;
	int ret = reuseport_group__status(group, &list, err);

	reuseport_status_list__free(list);
	return ret;
}

/* To the child of a fork() that does not come. */
static int call_keep(struct reuseport_error *err)
{
	if (reuseport_group__hand_over(group, err))
		return -err->code;
	return reuseport_group__keep(group, err);
}

/* There is no keeper of the host to leave it to. */
static int call_leave(struct reuseport_error *err)
{
	int ret = reuseport_group__leave(group, 10, err);

	return ret == -ENOENT ? 0 : ret;
}

static int call_own_detach(struct reuseport_error *err)
{
	return reuseport_group__detach(group, err);
}

/* ---------------------------------------------------------------- of no group */

static int call_netns(struct reuseport_error *err)
{
	uint64_t inode;

	return reuseport_netns(NULL, &inode, err);
}

static int call_device(struct reuseport_error *err)
{
	uint32_t index;

	return reuseport_device(here.netns, "lo", &index, err);
}

static int call_key_of_socket(struct reuseport_error *err)
{
	struct reuseport_key read = { .sz = sizeof(read) };

	return reuseport_key_of_socket(member, &read, err);
}

static int call_policy_check(struct reuseport_error *err)
{
	return reuseport_policy_check(NULL, err);
}

static int call_features(struct reuseport_error *err)
{
	struct reuseport_feature_list *list = NULL;
	int ret = reuseport_features(&list, err);

	reuseport_feature_list__free(list);
	return ret;
}

static int call_list_more(struct reuseport_error *err)
{
	struct reuseport_listing *listing = NULL;
	int ret = reuseport_list_more(&here, NULL, &listing, err);

	reuseport_listing__free(listing);
	return ret;
}

static int call_of_simulation(struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_simulated_worker, one, .weight = 1);
	REUSEPORT_OPTS(reuseport_tuple, tuple, .family = AF_INET);
	struct reuseport_tuple_list *packets = NULL;
	struct reuseport_simulation *simulation = NULL;
	int ret = reuseport_tuple_list__new(&packets, err);

	if (!ret)
		ret = reuseport_tuple_list__add(packets, &tuple, err);
	if (!ret)
		ret = reuseport_tuple_list__generate(packets, 10, 0, 1, err);
	if (!ret) {
		REUSEPORT_OPTS(reuseport_simulation_opts, opts, .workers = &one, .n_workers = 1,
			       .packets = packets);
		ret = reuseport_simulate(&opts, &simulation, err);
	}
	reuseport_simulation__free(simulation);
	reuseport_tuple_list__free(packets);
	return ret;
}

static int call_of_no_group(struct reuseport_error *err)
{
	struct reuseport_key copy = { .sz = sizeof(copy) };
	int ret = reuseport_key_copy(&copy, &key, err);

	if (!ret)
		ret = reuseport_disable_check(err);
	return ret ? ret : reuseport_set_isolation(NULL, err);
}

/* They may succeed, or say that nothing steers the socket; no capability changes that. */
static int call_worker(struct reuseport_error *err)
{
	struct reuseport_worker_sockopt state;
	int rets[] = {
		reuseport_worker_get_state(member, &state, sizeof(state)),
		reuseport_worker_ready(member, true),
		reuseport_worker_drain(member, 0),
		reuseport_worker_set_weight(member, 1),
		reuseport_worker_set_id(member, 1),
		reuseport_worker_wait(member, 0, 0),
		reuseport_worker_wait_drained(member, 0),
	};

	(void)err;
	for (size_t i = 0; i < sizeof(rets) / sizeof(rets[0]); i++)
		if (rets[i] && rets[i] != -ENOTCONN && rets[i] != -ENOPROTOOPT &&
		    rets[i] != -EOPNOTSUPP && rets[i] != -ETIMEDOUT)
			return rets[i];
	return 0;
}

/* What a call finds. */
enum before {
	NO_GROUP,     /* a socket that listens, and nothing attached */
	EMPTY_GROUP,  /* opened by this process, without a worker */
	WORKER_THERE, /* and with one */
};

static const struct call {
	const char *name;
	int (*call)(struct reuseport_error *err);
	enum before before;
	uint64_t needs;
} calls[] = {
	{ "attach", call_attach, NO_GROUP, ALL_THAT_LOOK },
	{ "find", call_find, NO_GROUP, ALL_THAT_LOOK },
	{ "keeper_open", call_keeper, NO_GROUP, ALL_THAT_LOOK },
	{ "explainer__new", call_explainer, NO_GROUP, ALL_THAT_LOOK },
	{ "attach_compare", call_attach_compare, WORKER_THERE, ALL_THAT_LOOK },
	{ "attach_mend", call_attach_mend, WORKER_THERE, ALL_THAT_LOOK },
	{ "attach_partial", call_attach_partial, WORKER_THERE, ALL_THAT_LOOK },
	{ "list", call_list, WORKER_THERE, ALL_THAT_LOOK },
	{ "detach", call_detach, WORKER_THERE, ALL_THAT_LOOK },
	{ "detach_unpinned", call_detach_unpinned, WORKER_THERE, ALL_THAT_LOOK },
	{ "get_status", call_get_status, WORKER_THERE, ALL_THAT_LOOK },
	{ "get_policy", call_get_policy, WORKER_THERE, ALL_THAT_LOOK },
	{ "set_policy", call_set_policy, WORKER_THERE, ALL_THAT_LOOK },
	{ "set_weight", call_set_weight, WORKER_THERE, ALL_THAT_LOOK },
	{ "drain", call_drain, WORKER_THERE, ALL_THAT_LOOK },
	{ "undrain", call_undrain, WORKER_THERE, ALL_THAT_LOOK },
	{ "admit", call_admit, WORKER_THERE, ALL_THAT_LOOK },
	{ "get_drain_status", call_get_drain_status, WORKER_THERE, ALL_THAT_LOOK },
	{ "rollout", call_rollout, WORKER_THERE, ALL_THAT_LOOK },
	{ "diagnose", call_diagnose, WORKER_THERE, ALL_THAT_LOOK },
	{ "group__open", call_open, NO_GROUP, BPF | PERFMON },
	{ "group__open_fd", call_open_fd, NO_GROUP, BPF | PERFMON },
	{ "group__drain_status", call_own_drain_status, WORKER_THERE, BPF | PERFMON },
	{ "group__add", call_add, EMPTY_GROUP, 0 },
	{ "group__process", call_process, WORKER_THERE, 0 },
	{ "group__next_event", call_next_event, WORKER_THERE, 0 },
	{ "group__set_policy", call_own_set_policy, WORKER_THERE, 0 },
	{ "group__set_weight", call_own_set_weight, WORKER_THERE, 0 },
	{ "group__drain", call_own_drain, WORKER_THERE, 0 },
	{ "group__undrain", call_own_undrain, WORKER_THERE, 0 },
	{ "group__admit", call_own_admit, WORKER_THERE, 0 },
	{ "group__rollout", call_own_rollout, WORKER_THERE, 0 },
	{ "group__status", call_own_status, WORKER_THERE, 0 },
	{ "group__keep", call_keep, WORKER_THERE, 0 },
	{ "group__leave", call_leave, WORKER_THERE, 0 },
	{ "group__detach", call_own_detach, WORKER_THERE, 0 },
	{ "netns", call_netns, NO_GROUP, 0 },
	{ "device", call_device, NO_GROUP, 0 },
	{ "key_of_socket", call_key_of_socket, NO_GROUP, 0 },
	{ "policy_check", call_policy_check, NO_GROUP, 0 },
	{ "features", call_features, NO_GROUP, 0 },
	{ "list_more", call_list_more, NO_GROUP, 0 },
	{ "key_copy", call_of_no_group, NO_GROUP, 0 },
	{ "simulate", call_of_simulation, NO_GROUP, 0 },
	{ "worker", call_worker, NO_GROUP, 0 },
};

/* ------------------------------------------------------------------- a trial */

/* Make what the call is to find. */
static int prepared(enum before before)
{
	int ret = 0;

	/* Without CAP_SYS_PTRACE the member that is there is not taken. */
	have_only(before == EMPTY_GROUP ? EVERY & ~PTRACE : EVERY);
	if (before != NO_GROUP)
		ret = reuseport_group__open(&key, NULL, &group, NULL);
	have_only(EVERY);
	return !ret && reuseport_group__workers(group) == (before == WORKER_THERE);
}

static void cleaned_up(void)
{
	reuseport_group__free(group);
	group = NULL;
	reuseport_detach(&here, NULL);
}

/* Call with those capabilities and no other. */
static int tried(const struct call *call, uint64_t with, struct reuseport_error *err)
{
	int ret = -ECANCELED;

	memset(err, 0, sizeof(*err));
	if (prepared(call->before)) {
		have_only(with);
		ret = call->call(err);
		have_only(EVERY);
	}
	cleaned_up();
	return ret;
}

static void check_call(const struct call *call)
{
	struct reuseport_error err;
	int ret = tried(call, call->needs, &err);

	printf("# %s\n", call->name);
	if (ret < 0)
		printf("# %d %s\n", ret, err.text);
	CHECK(ret >= 0);
	for (size_t i = 0; i < CAPABILITIES; i++) {
		if (!(call->needs & capabilities[i].bit))
			continue;
		ret = tried(call, call->needs & ~capabilities[i].bit, &err);
		if (ret != -EPERM || !strstr(err.text, capabilities[i].name))
			printf("# without %s: %d %s\n", capabilities[i].name, ret, err.text);
		CHECK(told(ret, EPERM, &err) && strstr(err.text, capabilities[i].name));
	}
}

/* The pins are of root's. */
static void another_user(void)
{
	struct reuseport_error err;
	struct reuseport_key own = key;
	int ret;

	own.uid = NOBODY;
	CHECK(seteuid(NOBODY) == 0);
	have_only(BPF | PERFMON);
	ret = reuseport_group__open(&own, NULL, &group, &err);
	CHECK(told(ret, EACCES, &err));
	have_only(BPF | PERFMON | DAC_OVERRIDE);
	CHECK(reuseport_group__open(&own, NULL, &group, &err) == 0);
	CHECK(reuseport_group__detach(group, &err) == 0);
	reuseport_group__free(group);
	group = NULL;
	have_only(EVERY);
	CHECK(seteuid(0) == 0);
}

/* A namespace that a process of this user keeps, which has no more capabilities. */
static void another_namespace(void)
{
	struct reuseport_key there = key;
	struct reuseport_error err;
	char pid[16];
	int ready[2];
	pid_t child;

	CHECK(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		if (!unshare(CLONE_NEWNET) && write(ready[1], "n", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK(read(ready[0], pid, 1) == 1);
	snprintf(pid, sizeof(pid), "%d", (int)child);
	CHECK(reuseport_netns(pid, &there.netns, NULL) == 0 && there.netns != key.netns);
	have_only(BPF | PERFMON | PTRACE);
	CHECK(told(reuseport_group__open(&there, NULL, &group, &err), EPERM, &err));
	CHECK(strstr(err.text, "CAP_SYS_ADMIN") != NULL);
	have_only(BPF | PERFMON | PTRACE | SYS_ADMIN);
	CHECK(reuseport_group__open(&there, NULL, &group, &err) == 0);
	CHECK(reuseport_group__detach(group, &err) == 0);
	have_only(EVERY);
	reuseport_group__free(group);
	group = NULL;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	here.port = (uint16_t)atoi(argv[1]);
	CHECK(reuseport_netns(NULL, &here.netns, NULL) == 0);
	member = member_of(SOCK_STREAM, here.port);
	key.sz = sizeof(key);
	CHECK(reuseport_key_of_socket(member, &key, NULL) == 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		check_call(&calls[i]);
	another_user();
	another_namespace();
	return check_end();
}
