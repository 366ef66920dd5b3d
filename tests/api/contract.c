// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * contract: what the header promises of every call: -errno, outputs untouched
 * on failure, an error that may be NULL, extensible options, destructors that
 * take nothing. Prints TAP. Needs one reuseport group on a TCP port:
 *   contract PORT
 */
#include <reuseport_bpf.h>
#include <reuseport_doctor.h>
#include <reuseport_explain.h>
#include <reuseport_list.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "contract_simulate.h"

static REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP);
static struct reuseport_key key;

static void find_the_group(void)
{
	struct reuseport_key_list *keys = NULL;
	struct reuseport_error err;

	CHECK(reuseport_netns(NULL, &here.netns, &err) == 0);
	CHECK(reuseport_find(&here, &keys, &err) == 0);
	CHECK(reuseport_key_list__count(keys) == 1 && !reuseport_key_list__get(keys, 1));
	if (reuseport_key_list__get(keys, 0)) {
		CHECK(reuseport_key_list__get(keys, 0)->sz >=
		      offsetof(struct reuseport_key, has_uid));
		key.sz = sizeof(key);
		CHECK(reuseport_key_copy(&key, reuseport_key_list__get(keys, 0), NULL) == 0);
	}
	reuseport_key_list__free(keys);
	reuseport_key_list__free(NULL);
	CHECK(key.has_uid && key.uid == geteuid());
	CHECK(key.proto == IPPROTO_TCP && key.family == AF_INET && key.port == here.port);
	CHECK(key.netns == here.netns && !key.ifindex && !key.v6only);
}

/* What only reads takes NULL, too. */
static void nothing_to_read(void)
{
	struct reuseport_error err;
	uint32_t index;

	CHECK(told(reuseport_netns(NULL, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_device(here.netns, NULL, &index, &err), EINVAL, &err));
	CHECK(told(reuseport_device(here.netns, "lo", NULL, &err), EINVAL, &err));
	CHECK(reuseport_group__fd(NULL) == -1 && !reuseport_group__workers(NULL));
	CHECK(!reuseport_group__pin(NULL) && !reuseport_group__key(NULL));
	CHECK(!reuseport_group__adopted(NULL) && !reuseport_counters__fallback(NULL));
}

static void key_copy_refuses(void)
{
	struct reuseport_key unsized = { .sz = 0 };
	struct reuseport_error err;

	CHECK(told(reuseport_key_copy(&unsized, &key, &err), EINVAL, &err));
	CHECK(told(reuseport_key_copy(&key, &unsized, &err), EINVAL, &err));
	CHECK(told(reuseport_key_copy(NULL, &key, &err), EINVAL, &err));
	CHECK(told(reuseport_key_copy(&unsized, NULL, &err), EINVAL, &err));
}

static void find_refuses(void)
{
	struct reuseport_key_list *const untouched = (struct reuseport_key_list *)&key;
	struct reuseport_key_list *keys = untouched;
	struct reuseport_filter filter = here;
	struct reuseport_error err;

	filter.port = 9;
	CHECK(told(reuseport_find(&filter, &keys, &err), ENOENT, &err));
	CHECK(reuseport_find(&filter, &keys, NULL) == -ENOENT);
	filter = here;
	filter.addr = "1.2.3";
	CHECK(told(reuseport_find(&filter, &keys, &err), EINVAL, &err));
	filter = here;
	filter.port = 0;
	CHECK(told(reuseport_find(&filter, &keys, &err), EINVAL, &err));
	filter = here;
	filter.proto = 0;
	filter.port = 9;
	CHECK(told(reuseport_find(&filter, &keys, &err), ENOENT, &err));
	CHECK(reuseport_find(&filter, NULL, NULL) == -EINVAL);
	filter = here;
	CHECK(told(reuseport_find(NULL, &keys, &err), EINVAL, &err));
	filter.netns = 1; /* no such inode */
	CHECK(reuseport_find(&filter, &keys, &err) < 0 && err.code && *err.text);
	filter = here;
	filter.sz = 0;
	CHECK(told(reuseport_find(&filter, &keys, &err), EINVAL, &err));
	CHECK(told(reuseport_find(&here, NULL, &err), EINVAL, &err));
	CHECK(keys == untouched);
}

static void netns_refuses(void)
{
	struct reuseport_error err;
	uint64_t inode = 77;

	CHECK(told(reuseport_netns("no-such-namespace", &inode, &err), ENOENT, &err));
	CHECK(told(reuseport_netns("4194304", &inode, &err), ENOENT, &err));
	CHECK(told(reuseport_netns("", &inode, &err), EINVAL, &err));
	CHECK(told(reuseport_netns("../x", &inode, &err), EINVAL, &err));
	CHECK(reuseport_netns("no-such-namespace", &inode, NULL) == -ENOENT);
	CHECK(inode == 77);
}

/* As a program that is newer than the library would call it. */
struct newer_opts {
	struct reuseport_attach_opts known;
	unsigned char tail[256];
};

static void options_are_extensible(void)
{
	struct reuseport_group *const untouched = (struct reuseport_group *)&key;
	struct reuseport_group *group = untouched;
	struct newer_opts newer = { .known = { .sz = sizeof(newer) } };
	struct reuseport_attach_opts opts = { .sz = 0 };
	struct reuseport_error err;

	newer.tail[255] = 1;
	CHECK(told(reuseport_attach(&key, &newer.known, &group, &err), E2BIG, &err));
	CHECK(reuseport_attach(&key, &newer.known, &group, NULL) == -E2BIG);
	newer.tail[255] = 0;
	newer.tail[128] = 1;
	CHECK(told(reuseport_attach(&key, &newer.known, &group, &err), E2BIG, &err));
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	CHECK(group == untouched);

	newer.tail[128] = 0;
	CHECK(reuseport_attach(&key, &newer.known, &group, &err) == 0);
	reuseport_group__free(group);
	CHECK(reuseport_detach(&here, &err) == 1);
	/* An older program knows less of it. */
	opts.sz = offsetof(struct reuseport_attach_opts, slots);
	opts.policy = "linux39";
	opts.slots = 1u << 31;
	CHECK(reuseport_attach(&key, &opts, &group, &err) == 0);
	reuseport_group__free(group);
	CHECK(reuseport_detach(&here, &err) == 1);
}

static void attach_refuses(void)
{
	struct reuseport_group *const untouched = (struct reuseport_group *)&key;
	struct reuseport_group *group = untouched;
	struct reuseport_attach_opts opts = { .sz = sizeof(opts), .policy = "hsah" };
	struct reuseport_key other = key;
	struct reuseport_error err;

	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	CHECK(reuseport_attach(&key, &opts, &group, NULL) == -EINVAL);
	opts.policy = NULL;
	opts.slots = 32769;
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	opts.slots = 1;
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), ENOSPC, &err));
	other.port = 9;
	CHECK(told(reuseport_attach(&other, NULL, &group, &err), ENOENT, &err));
	CHECK(reuseport_attach(&other, NULL, &group, NULL) == -ENOENT);
	other = key;
	other.netns = 1;
	CHECK(reuseport_attach(&other, NULL, &group, &err) < 0 && err.code && *err.text);
	CHECK(group == untouched);
}

static void one_keeper(void)
{
	struct reuseport_group *group = NULL, *second = NULL;
	struct reuseport_error err;

	CHECK(reuseport_attach(&key, NULL, &group, NULL) == 0);
	CHECK(told(reuseport_attach(&key, NULL, &second, &err), EBUSY, &err));
	CHECK(!second);
	CHECK(reuseport_group__keep(group, NULL) == 0);
	CHECK(reuseport_group__process(group, NULL) >= 0);
	CHECK(reuseport_group__fd(group) >= 0);
	CHECK(!reuseport_group__adopted(group) && reuseport_group__workers(group) == 2);
	reuseport_group__free(group);
	CHECK(reuseport_attach(&key, NULL, &group, NULL) == 0);
	CHECK(reuseport_group__adopted(group) && reuseport_group__workers(group) == 2);
	reuseport_group__free(group);
	CHECK(reuseport_detach(&here, NULL) == 1);
}

static void status_and_detach_of_nothing(void)
{
	struct reuseport_status_list *list = (struct reuseport_status_list *)&key;
	struct reuseport_filter bad = here;
	struct reuseport_error err;

	CHECK(told(reuseport_detach(&here, &err), ENOENT, &err));
	CHECK(reuseport_detach(&here, NULL) == -ENOENT);
	CHECK(told(reuseport_detach(NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_get_status(&here, NULL, &err), EINVAL, &err));
	bad.addr = "x";
	CHECK(told(reuseport_get_status(&bad, &list, &err), EINVAL, &err));
	CHECK(told(reuseport_detach(&bad, &err), EINVAL, &err));
	CHECK((void *)list == (void *)&key);
	CHECK(reuseport_get_status(&here, &list, NULL) == 0 && !reuseport_status_list__count(list));
	reuseport_status_list__free(list);
	reuseport_status_list__free(NULL);
	reuseport_group__free(NULL);
}

static void list_the_group(void)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;

	CHECK(reuseport_list(&here, &groups, NULL) == 0 &&
	      reuseport_group_list__count(groups) == 1);
	group = reuseport_group_list__get(groups, 0);
	CHECK(group && group->sockets == 2 && !group->has_program && !group->own);
	CHECK(group && group->key->port == here.port && group->key->netns == here.netns);
	CHECK(!reuseport_group_list__get(groups, 1));
	reuseport_group_list__free(groups);
	reuseport_group_list__free(NULL);
}

static void list_more(void)
{
	REUSEPORT_OPTS(reuseport_list_opts, opts, .who = true);
	struct reuseport_listing *listing = (struct reuseport_listing *)&key;
	const struct reuseport_listed *listed;
	struct reuseport_filter bad = here;
	struct reuseport_error err;

	CHECK(told(reuseport_list_more(&here, NULL, NULL, &err), EINVAL, &err));
	bad.addr = "x";
	CHECK(told(reuseport_list_more(&bad, NULL, &listing, &err), EINVAL, &err));
	opts.sz = 0;
	CHECK(told(reuseport_list_more(&here, &opts, &listing, &err), EINVAL, &err));
	CHECK((void *)listing == (void *)&key);
	CHECK(reuseport_list_more(&here, NULL, &listing, NULL) == 0);
	listed = reuseport_listing__get(listing, 0);
	CHECK(reuseport_listing__count(listing) == 1 && listed && listed->is_group);
	CHECK(listed && listed->group->sockets == 2 && listed->group->key->port == here.port);
	CHECK(listed && listed->state == REUSEPORT_GROUP_PLAIN && !listed->looked);
	CHECK(!reuseport_listing__get(listing, 1) && !reuseport_listing__count_unseen(listing));
	CHECK(!reuseport_listing__get_unseen(listing, 0) &&
	      !reuseport_listing__get_connected(listing, 0));
	reuseport_listing__free(listing);
	opts.sz = sizeof(opts);
	CHECK(reuseport_list_more(&here, &opts, &listing, &err) == 0);
	listed = reuseport_listing__get(listing, 0);
	CHECK(listed && listed->looked && listed->n_processes == 1 && !listed->unowned);
	CHECK(listed && listed->processes[0]->pid && listed->processes[0]->has == 2);
	reuseport_listing__free(listing);
	reuseport_listing__free(NULL);
	CHECK(!reuseport_listing__count(NULL) && !reuseport_listing__get(NULL, 0));
	CHECK(!reuseport_listing__count_connected(NULL));
	CHECK(!strcmp(reuseport_group_state_name(REUSEPORT_GROUP_LOST), "lost"));
	CHECK(reuseport_group_state_name(99) != NULL);
}

static void diagnose(void)
{
	struct reuseport_finding_list *list = (struct reuseport_finding_list *)&key;
	struct reuseport_filter bad = here;
	struct reuseport_error err;

	CHECK(told(reuseport_diagnose(&here, NULL, &err), EINVAL, &err));
	bad.addr = "x";
	CHECK(told(reuseport_diagnose(&bad, &list, &err), EINVAL, &err));
	bad = here;
	bad.port = 9;
	CHECK(told(reuseport_diagnose(&bad, &list, &err), ENOENT, &err));
	CHECK((void *)list == (void *)&key);
	CHECK(reuseport_diagnose(&here, &list, NULL) == 0);
	CHECK(!reuseport_finding_list__get(list, reuseport_finding_list__count(list)));
	reuseport_finding_list__free(list);
	reuseport_finding_list__free(NULL);
	CHECK(!reuseport_finding_list__count(NULL) && !reuseport_finding_list__get(NULL, 0));
	CHECK(!strcmp(reuseport_severity_name(REUSEPORT_WARNING), "warning"));
	CHECK(reuseport_severity_name(0) != NULL);
}

static void names(void)
{
	struct reuseport_counters counters = { .exhausted = 1,
					       .nobody = 2,
					       .unregistered = 4,
					       .empty = 1000,
					       .refused = 1000,
					       .next_best = 1000,
					       .connected = 8,
					       .incoming_cpu = 16,
					       .unreadable = 32,
					       .packets = 1000,
					       .selected = 1000 };

	CHECK(!strcmp(reuseport_policy_at(0)->name, "hash") && *reuseport_policy_at(0)->summary);
	CHECK(reuseport_policy_at(1) && !reuseport_policy_at(1000));
	CHECK(strchr(reuseport_version(), '.') != NULL);
	CHECK(!strcmp(reuseport_state_name(2), "active"));
	CHECK(reuseport_state_name(12345) != NULL);
	CHECK(reuseport_counters__fallback(&counters) == 63);
}

/* Of a group that has a keeper, this process. */
static void changes(void)
{
	struct reuseport_policy_opts words = { .sz = sizeof(words), .policy = "consistent" };
	struct reuseport_policy_list *const untouched = (struct reuseport_policy_list *)&key;
	struct reuseport_policy_list *list = untouched;
	const struct reuseport_policy_info *policy;
	struct reuseport_group *group;
	struct reuseport_error err;

	CHECK(told(reuseport_set_policy(&here, &words, &err), ENOENT, &err));
	CHECK(told(reuseport_set_policy(NULL, &words, &err), EINVAL, &err));
	CHECK(told(reuseport_rollout(NULL, REUSEPORT_ROLLOUT_BEGIN, &err), EINVAL, &err));
	CHECK(told(reuseport_drain(NULL, "slot:0", NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_get_policy(&here, &list, &err), ENOENT, &err));
	CHECK(list == untouched);
	CHECK(told(reuseport_set_weight(&here, "slot:0", 2, &err), ENOENT, &err));
	CHECK(reuseport_attach(&key, NULL, &group, NULL) == 0);
	CHECK(reuseport_set_policy(&here, &words, NULL) == 1);
	CHECK(reuseport_get_policy(&here, &list, NULL) == 0 &&
	      reuseport_policy_list__count(list) == 1);
	policy = reuseport_policy_list__get(list, 0)->policy;
	CHECK(!strcmp(policy->policy, "consistent") && strlen(policy->hash_key) == 32);
	reuseport_policy_list__free(list);
	words.policy = "consistnet";
	CHECK(told(reuseport_set_policy(&here, &words, &err), EINVAL, &err));
	words = (struct reuseport_policy_opts){ .sz = sizeof(words), .key = "src-prefix/129" };
	CHECK(told(reuseport_set_policy(&here, &words, &err), EINVAL, &err));
	CHECK(reuseport_set_weight(&here, "slot:1", 1000, NULL) == 1);
	CHECK(told(reuseport_set_weight(&here, "slot:1", 1001, &err), EINVAL, &err));
	CHECK(told(reuseport_set_weight(&here, "slot:-1", 1, &err), EINVAL, &err));
	CHECK(told(reuseport_set_weight(&here, "slot:2", 1, &err), ENOENT, &err));
	reuseport_group__free(group);
	CHECK(reuseport_detach(&here, NULL) == 1);
}

static void restarts_of_nothing(void)
{
	struct reuseport_drain_list *const untouched = (struct reuseport_drain_list *)&key;
	struct reuseport_drain_list *list = untouched;
	struct reuseport_drain_opts unsized = { .sz = 0 };
	struct reuseport_error err;

	CHECK(told(reuseport_drain(&here, "slot:0", NULL, &err), ENOENT, &err));
	CHECK(told(reuseport_undrain(&here, "slot:0", &err), ENOENT, &err));
	CHECK(told(reuseport_admit(&here, NULL, &err), ENOENT, &err));
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_BEGIN, &err), ENOENT, &err));
	CHECK(told(reuseport_drain(&here, "slot:x", NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_drain(&here, "slot:0", &unsized, &err), EINVAL, &err));
	CHECK(told(reuseport_drain(&here, NULL, NULL, &err), EINVAL, &err));
	CHECK(told(reuseport_get_drain_status(&here, "slot:x", &list, &err), EINVAL, &err));
	CHECK(told(reuseport_get_drain_status(&here, NULL, NULL, &err), EINVAL, &err));
	CHECK(list == untouched);
}

static int state_is(unsigned int slot, unsigned int state)
{
	struct reuseport_status_list *list;
	const struct reuseport_status *status;
	int is = 0;

	if (reuseport_get_status(&here, &list, NULL))
		return 0;
	status = reuseport_status_list__get(list, 0);
	if (status && slot < status->n_workers)
		is = status->workers[slot]->state == state;
	reuseport_status_list__free(list);
	return is;
}

/* The number of drained workers of that name; -1 for a failure. */
static int drained(const char *worker)
{
	struct reuseport_drain_list *list = NULL;
	int n = reuseport_get_drain_status(&here, worker, &list, NULL) ?
			-1 :
			(int)reuseport_drain_list__count(list);

	reuseport_drain_list__free(list);
	return n;
}

/* Of a group of two that has a keeper, this process. */
static void drains(void)
{
	REUSEPORT_OPTS(reuseport_drain_opts, release, .release = true);
	const struct reuseport_drain_status *status;
	struct reuseport_drain_list *list = NULL;
	struct reuseport_error err;

	CHECK(drained(NULL) == 0);
	CHECK(reuseport_drain(&here, "slot:1", NULL, NULL) == 1 &&
	      state_is(1, REUSEPORT_WORKER_DRAINING));
	CHECK(reuseport_get_drain_status(&here, "slot:1", &list, NULL) == 0 &&
	      reuseport_drain_list__count(list) == 1);
	status = reuseport_drain_list__get(list, 0);
	CHECK(status->slot == 1 && status->cookie && !status->queue && !status->half_open);
	reuseport_drain_list__free(list);
	/* A worker that has gone, or gets work, has nothing left. */
	CHECK(drained("slot:0") == 0 && drained("slot:9") == 0);
	CHECK(reuseport_drain(&here, "slot:1", &release, NULL) == 1 &&
	      state_is(1, REUSEPORT_WORKER_LEAVING));
	CHECK(reuseport_undrain(&here, "slot:1", NULL) == 1 &&
	      state_is(1, REUSEPORT_WORKER_ACTIVE));
	CHECK(reuseport_undrain(&here, "slot:1", NULL) == 0);
	CHECK(reuseport_admit(&here, NULL, NULL) == 0 &&
	      reuseport_admit(&here, "slot:0", NULL) == 0);
	CHECK(told(reuseport_drain(&here, "slot:2", NULL, &err), ENOENT, &err));
	CHECK(told(reuseport_undrain(&here, "pid:", &err), EINVAL, &err));
}

static void rollouts(void)
{
	struct reuseport_error err;

	CHECK(told(reuseport_rollout(&here, 0, &err), EINVAL, &err));
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_SWITCH, &err), EINVAL, &err));
	CHECK(reuseport_rollout(&here, REUSEPORT_ROLLOUT_BEGIN, NULL) == 1);
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_BEGIN, &err), EALREADY, &err));
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_SWITCH, &err), ECHILD, &err));
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_FINISH, &err), EINVAL, &err));
	CHECK(reuseport_rollout(&here, REUSEPORT_ROLLOUT_ABORT, NULL) == 1 &&
	      state_is(0, REUSEPORT_WORKER_ACTIVE));
}

static void restarts(void)
{
	struct reuseport_attach_opts opts = { .sz = sizeof(opts), .admit = "yes" };
	struct reuseport_group *group = NULL;
	struct reuseport_error err;

	restarts_of_nothing();
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	opts.admit = "manual";
	opts.flows = 1024; /* of TCP */
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	opts.flows = 0;
	CHECK(reuseport_attach(&key, &opts, &group, NULL) == 0);
	drains();
	rollouts();
	reuseport_group__free(group);
	CHECK(reuseport_detach(&here, NULL) == 1);
}

static void explanations(void)
{
	struct reuseport_packet packet = { .sz = sizeof(packet),
					   .proto = IPPROTO_TCP,
					   .family = AF_INET,
					   .src = { 127, 0, 0, 1 },
					   .dst = { 127, 0, 0, 1 },
					   .src_port = 1234,
					   .dst_port = key.port,
					   .cpu = -1,
					   .netns = key.netns };
	struct reuseport_explanation *explanation = NULL;
	struct reuseport_explainer *explainer = NULL;
	struct reuseport_error err;

	CHECK(reuseport_explainer__new(&explainer, NULL) == 0);
	CHECK(reuseport_explain(explainer, &packet, &explanation, NULL) == 0);
	CHECK(explanation->winner && explanation->decider == REUSEPORT_KERNEL);
	CHECK(explanation->n_outcomes == 2 && explanation->outcomes[0]->probability == 0.5);
	reuseport_explanation__free(explanation);
	packet.sz = 0;
	CHECK(told(reuseport_explain(explainer, &packet, &explanation, &err), EINVAL, &err));
	packet.sz = sizeof(packet);
	CHECK(told(reuseport_explain(explainer, NULL, &explanation, &err), EINVAL, &err));
	CHECK(told(reuseport_explain(NULL, &packet, &explanation, &err), EINVAL, &err));
	packet.dst[0] = 224;
	CHECK(told(reuseport_explain(explainer, &packet, &explanation, &err), EOPNOTSUPP, &err));
	reuseport_explainer__free(explainer);
	reuseport_explainer__free(NULL);
	reuseport_explanation__free(NULL);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	here.port = (uint16_t)atoi(argv[1]);
	find_the_group();
	if (!key.port)
		return 1;
	nothing_to_read();
	key_copy_refuses();
	find_refuses();
	netns_refuses();
	options_are_extensible();
	attach_refuses();
	one_keeper();
	status_and_detach_of_nothing();
	list_the_group();
	list_more();
	diagnose();
	changes();
	restarts();
	explanations();
	simulations();
	names();
	return check_end();
}
