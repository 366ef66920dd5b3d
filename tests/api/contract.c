// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * contract: what the header promises of every call: -errno, outputs untouched
 * on failure, an error that may be NULL, extensible options, destructors that
 * take nothing. Prints TAP. Needs one reuseport group on a TCP port:
 *   contract PORT
 */
#include <reuseport_bpf.h>
#include <reuseport_explain.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int tests, failures;

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		int held = (condition);                                                         \
		tests++;                                                                        \
		failures += !held;                                                              \
		printf("%s %d - %s:%d %s\n", held ? "ok" : "not ok", tests, __func__, __LINE__, \
		       #condition);                                                             \
	} while (0)

static REUSEPORT_OPTS(reuseport_filter, here, .proto = IPPROTO_TCP);
static struct reuseport_key key;

/* A failure says what it is: the same errno, one line. */
static int told(int ret, int code, const struct reuseport_error *err)
{
	return ret == -code && err->code == code && *err->text && !strchr(err->text, '\n');
}

static void find_the_group(void)
{
	struct reuseport_key_list *keys = NULL;
	struct reuseport_error err;

	CHECK(reuseport_netns(NULL, &here.netns, &err) == 0);
	CHECK(reuseport_find(&here, &keys, &err) == 0);
	CHECK(reuseport_key_list__count(keys) == 1 && !reuseport_key_list__get(keys, 1));
	if (reuseport_key_list__get(keys, 0))
		key = *reuseport_key_list__get(keys, 0);
	reuseport_key_list__free(keys);
	reuseport_key_list__free(NULL);
	CHECK(key.sz == sizeof(key) && key.has_uid && key.uid == geteuid());
	CHECK(key.proto == IPPROTO_TCP && key.family == AF_INET && key.port == here.port);
	CHECK(key.netns == here.netns && !key.ifindex && !key.v6only);
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
	CHECK(told(reuseport_find(&filter, &keys, &err), EINVAL, &err));
	CHECK(reuseport_find(&filter, &keys, NULL) == -EINVAL);
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
	unsigned char tail[64];
};

static void options_are_extensible(void)
{
	struct reuseport_group *const untouched = (struct reuseport_group *)&key;
	struct reuseport_group *group = untouched;
	struct newer_opts newer = { .known = { .sz = sizeof(newer) } };
	struct reuseport_attach_opts opts = { .sz = 0 };
	struct reuseport_error err;

	newer.tail[63] = 1;
	CHECK(told(reuseport_attach(&key, &newer.known, &group, &err), E2BIG, &err));
	CHECK(reuseport_attach(&key, &newer.known, &group, NULL) == -E2BIG);
	newer.tail[63] = 0;
	newer.tail[0] = 1;
	CHECK(told(reuseport_attach(&key, &newer.known, &group, &err), E2BIG, &err));
	CHECK(told(reuseport_attach(&key, &opts, &group, &err), EINVAL, &err));
	CHECK(group == untouched);

	newer.tail[0] = 0;
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
	struct reuseport_status *list = (struct reuseport_status *)&key;
	struct reuseport_filter bad = here;
	struct reuseport_error err;
	size_t n = 77;

	CHECK(told(reuseport_detach(&here, &err), ENOENT, &err));
	CHECK(reuseport_detach(&here, NULL) == -ENOENT);
	CHECK(told(reuseport_detach(NULL, &err), EINVAL, &err));
	bad.addr = "x";
	CHECK(told(reuseport_status(&bad, &list, &n, &err), EINVAL, &err));
	CHECK(told(reuseport_detach(&bad, &err), EINVAL, &err));
	CHECK((void *)list == (void *)&key && n == 77);
	CHECK(reuseport_status(&here, &list, &n, NULL) == 0 && n == 0);
	reuseport_status__free(list, n);
	reuseport_status__free(NULL, 0);
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
	struct reuseport_ruled *const untouched = (struct reuseport_ruled *)&key;
	struct reuseport_ruled *ruled = untouched;
	struct reuseport_group *group;
	struct reuseport_error err;
	size_t n = 77;

	CHECK(told(reuseport_set_policy(&here, &words, &err), ENOENT, &err));
	CHECK(told(reuseport_get_policy(&here, &ruled, &n, &err), ENOENT, &err));
	CHECK(ruled == untouched && n == 77);
	CHECK(told(reuseport_set_weight(&here, "slot:0", 2, &err), ENOENT, &err));
	CHECK(reuseport_attach(&key, NULL, &group, NULL) == 0);
	CHECK(reuseport_set_policy(&here, &words, NULL) == 1);
	CHECK(reuseport_get_policy(&here, &ruled, &n, NULL) == 0 && n == 1);
	CHECK(!strcmp(ruled[0].rules.policy, "consistent") &&
	      strlen(ruled[0].rules.hash_key) == 32);
	free(ruled);
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
	struct reuseport_left *const untouched = (struct reuseport_left *)&key, *left = untouched;
	struct reuseport_error err;
	size_t n = 77;

	CHECK(told(reuseport_drain(&here, "slot:0", false, &err), ENOENT, &err));
	CHECK(told(reuseport_undrain(&here, "slot:0", &err), ENOENT, &err));
	CHECK(told(reuseport_admit(&here, NULL, &err), ENOENT, &err));
	CHECK(told(reuseport_rollout(&here, REUSEPORT_ROLLOUT_BEGIN, &err), ENOENT, &err));
	CHECK(told(reuseport_drain(&here, "slot:x", false, &err), EINVAL, &err));
	CHECK(told(reuseport_left(&here, "slot:x", &left, &n, &err), EINVAL, &err));
	CHECK(left == untouched && n == 77);
}

static unsigned int state_of(unsigned int slot)
{
	struct reuseport_status *list;
	unsigned int state = 0;
	size_t n;

	if (reuseport_status(&here, &list, &n, NULL))
		return 0;
	if (n == 1 && slot < list[0].n_workers)
		state = list[0].workers[slot].state;
	reuseport_status__free(list, n);
	return state;
}

static int state_is(unsigned int slot, const char *name)
{
	return !strcmp(reuseport_state_name(state_of(slot)), name);
}

/* Of a group of two that has a keeper, this process. */
static void drains(void)
{
	struct reuseport_left *left = NULL;
	struct reuseport_error err;
	size_t n = 77;

	CHECK(reuseport_left(&here, NULL, &left, &n, NULL) == 0 && n == 0);
	free(left);
	CHECK(reuseport_drain(&here, "slot:1", false, NULL) == 1 && state_is(1, "draining"));
	CHECK(reuseport_left(&here, "slot:1", &left, &n, NULL) == 0 && n == 1);
	CHECK(left[0].slot == 1 && left[0].cookie && !left[0].queue && !left[0].half_open);
	free(left);
	/* Who has gone, or gets work, has nothing left. */
	CHECK(reuseport_left(&here, "slot:0", &left, &n, NULL) == 0 && n == 0);
	free(left);
	CHECK(reuseport_left(&here, "slot:9", &left, &n, NULL) == 0 && n == 0);
	free(left);
	CHECK(reuseport_drain(&here, "slot:1", true, NULL) == 1 && state_is(1, "leaving"));
	CHECK(reuseport_undrain(&here, "slot:1", NULL) == 1 && state_is(1, "active"));
	CHECK(reuseport_undrain(&here, "slot:1", NULL) == 0);
	CHECK(reuseport_admit(&here, NULL, NULL) == 0 &&
	      reuseport_admit(&here, "slot:0", NULL) == 0);
	CHECK(told(reuseport_drain(&here, "slot:2", false, &err), ENOENT, &err));
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
	      state_is(0, "active"));
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
	struct reuseport_packet packet = { .proto = IPPROTO_TCP,
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
	CHECK(explanation->n_chances == 2 && explanation->chances[0].share == 0.5);
	reuseport_explanation__free(explanation);
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
	find_refuses();
	netns_refuses();
	options_are_extensible();
	attach_refuses();
	one_keeper();
	status_and_detach_of_nothing();
	list_the_group();
	changes();
	restarts();
	explanations();
	names();
	printf("1..%d\n", tests);
	return failures != 0;
}
