/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * calls: steers the group on a TCP port by the library, keeps it until SIGTERM, and
 * measures each call of reuseport_group__process(). Prints "ready", and in the end one
 * JSON line:
 *   calls           how many there were
 *   longest_ms      the time that the longest one took
 *   longest_cpu_ms  the processor's time, which other processes do not make longer
 * With --fork it forks once, after a call that leaves a directory of /proc open, prints
 * "left N" for the N that the child has open, and ends.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reuseport_bpf.h"

static const struct option options[] = {
	{ "port", 1, NULL, 'P' },
	{ "netns", 1, NULL, 'N' },
	{ "fork", 0, NULL, 'f' },
	{ 0 },
};

struct calls {
	unsigned long n;
	int64_t longest_us, longest_cpu_us;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static struct reuseport_group *attach(const struct reuseport_filter *filter)
{
	struct reuseport_key_list *keys;
	struct reuseport_group *group;
	struct reuseport_error error;

	if (reuseport_find(filter, &keys, &error) ||
	    reuseport_attach(reuseport_key_list__get(keys, 0), NULL, &group, &error))
		die("%s", error.text);
	reuseport_key_list__free(keys);
	return group;
}

static void call(struct reuseport_group *group, struct calls *calls)
{
	struct reuseport_error error;
	int64_t cpu = cpu_us(), start = now_us();

	if (reuseport_group__process(group, &error) < 0)
		die("%s", error.text);
	start = now_us() - start;
	cpu = cpu_us() - cpu;
	calls->n++;
	if (start > calls->longest_us)
		calls->longest_us = start;
	if (cpu > calls->longest_cpu_us)
		calls->longest_cpu_us = cpu;
}

/* Return the number of directories of /proc that this process has open. */
static unsigned int proc_dirs(void)
{
	char name[64], link[64];
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n += readlink(name, link, sizeof(link)) >= 5 && !memcmp(link, "/proc", 5);
	}
	return n;
}

/* Return whether it was the time to fork. */
static bool fork_once(void)
{
	pid_t pid;

	if (!proc_dirs())
		return false;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		printf("left %u\n", proc_dirs());
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = IPPROTO_TCP);
	struct calls calls = { 0 };
	struct reuseport_group *group;
	struct reuseport_error error;
	struct pollfd ready = { .events = POLLIN };
	sigset_t set, before;
	bool forks = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'P')
			filter.port = number(optarg, 1, 65535);
		else if (option == 'f')
			forks = true;
		else if (option != 'N')
			return 2;
		else if (reuseport_netns(optarg, &filter.netns, &error))
			die("%s", error.text);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	sigaction(SIGTERM, &action, NULL);
	group = attach(&filter);
	ready.fd = reuseport_group__fd(group);
	printf("ready\n");
	fflush(stdout);
	while (!stopped) {
		if (ppoll(&ready, 1, NULL, &before) > 0)
			call(group, &calls);
		if (forks && fork_once())
			break;
	}
	reuseport_group__free(group);
	printf("{\"calls\":%lu,\"longest_ms\":%.1f,\"longest_cpu_ms\":%.1f}\n", calls.n,
	       calls.longest_us / 1e3, calls.longest_cpu_us / 1e3);
	return 0;
}
