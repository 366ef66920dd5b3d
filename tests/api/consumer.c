// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * consumer: a server author's program, built against the installed library. In
 * the current namespace: finds the groups of a TCP port, steers the first,
 * follows its workers for a while, tells what it sees, detaches.
 *   consumer PORT [MS]
 * Prints one line a step.
 */
#include <reuseport_bpf.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int complain(const char *step, int ret, const struct reuseport_error *err)
{
	printf("%s: %d %d %s\n", step, ret, err->code, err->text);
	return 1;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Returns the changes seen, or -errno. */
static int follow(struct reuseport_group *group, long ms, struct reuseport_error *err)
{
	struct pollfd fd = { .fd = reuseport_group__fd(group), .events = POLLIN };
	long end = now_ms() + ms;
	int changes = 0, ret;

	while (now_ms() < end) {
		poll(&fd, 1, (int)(end - now_ms()) > 0 ? (int)(end - now_ms()) : 0);
		ret = reuseport_group__process(group, err);
		if (ret < 0)
			return ret;
		changes += ret;
	}
	return changes;
}

static int show_status(const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	struct reuseport_error err;
	int ret = reuseport_get_status(filter, &list, &err);

	if (ret)
		return complain("status", ret, &err);
	printf("status: %zu\n", reuseport_status_list__count(list));
	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		printf("group: %s %s %d %zu %u\n", status->policy->policy, status->program_name,
		       status->attached, status->n_workers, status->unregistered);
		for (size_t j = 0; j < status->n_workers; j++)
			printf("worker: %u %llu %s\n", status->workers[j]->pid,
			       (unsigned long long)status->workers[j]->cookie,
			       reuseport_state_name(status->workers[j]->state));
	}
	reuseport_status_list__free(list);
	return 0;
}

static int steer(const struct reuseport_key *key, long ms)
{
	struct reuseport_attach_opts opts = { .sz = sizeof(opts), .policy = "linux39" };
	struct reuseport_group *group;
	struct reuseport_error err;
	int ret = reuseport_attach(key, &opts, &group, &err);

	if (ret)
		return complain("attach", ret, &err);
	printf("attached: %u %d %s\n", reuseport_group__workers(group),
	       reuseport_group__adopted(group), reuseport_group__pin(group));
	ret = reuseport_group__keep(group, &err);
	if (!ret)
		ret = follow(group, ms, &err);
	if (ret < 0)
		complain("follow", ret, &err);
	else
		printf("workers: %u\n", reuseport_group__workers(group));
	reuseport_group__free(group);
	return ret < 0;
}

int main(int argc, char **argv)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = IPPROTO_TCP);
	struct reuseport_error err;
	struct reuseport_key_list *keys;
	int ret;

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	filter.port = (uint16_t)atoi(argv[1]);
	ret = reuseport_netns(NULL, &filter.netns, &err);
	if (ret)
		return complain("netns", ret, &err);
	ret = reuseport_find(&filter, &keys, &err);
	if (ret)
		return complain("find", ret, &err);
	printf("found: %zu\n", reuseport_key_list__count(keys));
	ret = steer(reuseport_key_list__get(keys, 0), argc > 2 ? atol(argv[2]) : 0);
	reuseport_key_list__free(keys);
	if (!ret)
		ret = show_status(&filter);
	if (ret)
		return 1;
	ret = reuseport_detach(&filter, &err);
	if (ret < 0)
		return complain("detach", ret, &err);
	printf("detached: %d\n", ret);
	return 0;
}
