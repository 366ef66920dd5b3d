/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Network namespaces: found by name, pid and inode; entered and left again. One that the
 * test makes needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/netns.h"

#define OWN "/proc/thread-self/ns/net"
#define NO_INODE 1 /* of no namespace: those begin far above */

static uint64_t own_cookie(void)
{
	uint64_t cookie = 7;

	assert_int_equal(netns_cookie(&cookie, NULL), 0);
	return cookie;
}

static uint64_t own_inode(void)
{
	struct stat st;

	assert_int_equal(stat(OWN, &st), 0);
	return st.st_ino;
}

/* A child in a network namespace of its own; 0: this process may not make one. */
static pid_t start_namespace(uint64_t *inode)
{
	int ready[2];
	char path[64], byte = 0;
	struct stat st;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	if (!pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(stat(path, &st), 0);
	*inode = st.st_ino;
	return pid;
}

static void stop_namespace(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ----------------------------------------------------------------------- names */

static void inode_of_a_path(void **state)
{
	uint64_t inode = 0;

	(void)state;
	assert_int_equal(netns_inode_of(OWN, &inode), 0);
	assert_int_equal(inode, own_inode());
	assert_int_equal(netns_inode_of("/proc/0/ns/net", &inode), -ENOENT);
}

static void by_no_name_and_by_pid(void **state)
{
	uint64_t inode = 0;
	char pid[32];

	(void)state;
	assert_int_equal(reuseport_netns(NULL, &inode, NULL), 0);
	assert_int_equal(inode, own_inode());
	snprintf(pid, sizeof(pid), "%d", getpid());
	inode = 0;
	assert_int_equal(reuseport_netns(pid, &inode, NULL), 0);
	assert_int_equal(inode, own_inode());
}

static void bad_names(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *says;
	} cases[] = {
		{ "", EINVAL, "''" },
		{ "a/b", EINVAL, "'a/b'" },
		{ "../net", EINVAL, "'../net'" },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789", EINVAL,
		  "neither a name nor a pid" },
		{ "4194305", ENOENT, "no process has pid 4194305" }, /* above any pid */
		{ "no-such-namespace", ENOENT, "'no-such-namespace'" },
		{ "1x", ENOENT, "'1x'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reuseport_error err = { 0 };
		uint64_t inode = 7;

		assert_int_equal(reuseport_netns(cases[i].name, &inode, &err), -cases[i].code);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_int_equal(inode, 7);
	}
}

static void a_namespace_without_a_name(void **state)
{
	char name[64] = "x";

	(void)state;
	netns_name_of(NO_INODE, name, sizeof(name));
	assert_string_equal(name, "");
}

/* ----------------------------------------------------------------- enumeration */

struct visits {
	uint64_t inodes[4096];
	size_t n, stop_after;
	uint64_t made; /* the test's own, which nothing else is in */
	pid_t made_by;
};

static int visit(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct visits *visits = ctx;

	/* Found by a name or by a process in it. */
	assert_true(!*name == !!pid);
	if (inode == visits->made)
		assert_int_equal(pid, visits->made_by);
	assert_true(visits->n < sizeof(visits->inodes) / sizeof(visits->inodes[0]));
	visits->inodes[visits->n++] = inode;
	return visits->n == visits->stop_after ? 77 : 0;
}

static size_t times(const struct visits *visits, uint64_t inode)
{
	size_t n = 0;

	for (size_t i = 0; i < visits->n; i++)
		n += visits->inodes[i] == inode;
	return n;
}

static void each_namespace_once(void **state)
{
	static struct visits visits, one;
	uint64_t inode = 0;
	pid_t pid = start_namespace(&inode);

	(void)state;
	visits = one = (struct visits){ .made = pid ? inode : 0, .made_by = pid };
	assert_int_equal(netns_for_each(visit, &visits), 0);
	assert_true(visits.n >= 1);
	assert_int_equal(times(&visits, own_inode()), 1);
	for (size_t i = 0; i < visits.n; i++)
		assert_int_equal(times(&visits, visits.inodes[i]), 1);
	if (pid)
		assert_int_equal(times(&visits, inode), 1);
	/* What fn returns ends it. */
	one.stop_after = 1;
	assert_int_equal(netns_for_each(visit, &one), 77);
	assert_int_equal(one.n, 1);
	if (pid)
		stop_namespace(pid);
}

/* --------------------------------------------------------------------- visits */

static void own_namespace_is_not_left(void **state)
{
	struct netns_ref ref = { .inode = own_inode() };
	struct netns_visit there = { .home = 5 };

	(void)state;
	assert_int_equal(netns_enter(&ref, &there, NULL), 0);
	assert_int_equal(there.home, -1);
	netns_leave(&there);
	assert_int_equal(own_inode(), ref.inode);

	/* The same inode with another cookie is another namespace. */
	ref.cookie = own_cookie();
	if (!ref.cookie)
		return;
	assert_int_equal(netns_enter(&ref, &there, NULL), 0);
	netns_leave(&there);
	ref.cookie++;
	assert_int_equal(netns_enter(&ref, &there, NULL), -ENETDOWN);
	assert_int_equal(there.home, -1);
}

static void a_namespace_that_is_gone(void **state)
{
	struct netns_ref ref = { .inode = NO_INODE };
	struct reuseport_error err = { 0 };
	struct netns_visit there;
	uint64_t before = own_inode();

	(void)state;
	assert_int_equal(netns_enter(&ref, &there, &err), -ENETDOWN);
	assert_non_null(strstr(err.text, "inode 1 "));
	assert_int_equal(own_inode(), before);
	assert_int_equal(there.home, -1);
}

static void entered_and_left(void **state)
{
	uint64_t home = own_inode(), home_cookie = own_cookie(), inode = 0, cookie;
	pid_t pid = start_namespace(&inode);
	struct netns_ref ref = { .inode = inode };
	struct netns_visit there;

	(void)state;
	if (!pid)
		skip();
	/* Found by a search, by the process named, and in spite of a wrong one. */
	for (int i = 0; i < 3; i++) {
		ref.hint_pid = i == 0 ? 0 : i == 1 ? pid : getpid();
		assert_int_equal(netns_enter(&ref, &there, NULL), 0);
		assert_int_equal(own_inode(), inode);
		cookie = own_cookie();
		netns_leave(&there);
		assert_int_equal(there.home, -1);
		assert_int_equal(own_inode(), home);
	}
	assert_int_equal(own_cookie(), home_cookie);
	if (cookie) {
		assert_int_not_equal(cookie, home_cookie);
		ref.cookie = cookie;
		assert_int_equal(netns_enter(&ref, &there, NULL), 0);
		netns_leave(&there);
		/* A later namespace with the same inode: it is left at once. */
		ref.cookie = cookie + 1;
		assert_int_equal(netns_enter(&ref, &there, NULL), -ENETDOWN);
		assert_int_equal(own_inode(), home);
	}
	stop_namespace(pid);
	ref.cookie = 0;
	assert_int_equal(netns_enter(&ref, &there, NULL), -ENETDOWN);
	assert_int_equal(own_inode(), home);
}

/* ---------------------------------------------------------------------- limits */

static int count_visits(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	(void)inode, (void)name, (void)pid;
	++*(unsigned int *)ctx;
	return 0;
}

/* Without a free descriptor nothing can be said of a namespace: neither that it is gone, nor
 * that it is another one. */
static void a_limit_says_nothing(void **state)
{
	uint64_t inode = 0, cookie = own_cookie(), home = own_inode();
	pid_t pid = start_namespace(&inode);
	struct netns_ref there = { .inode = inode };
	struct netns_ref here = { .inode = home, .cookie = cookie };
	struct reuseport_error err = { 0 };
	struct rlimit before, none;
	struct netns_visit visit;
	unsigned int visits = 0;

	(void)state;
	if (!pid)
		skip();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 2; i++) {
		there.hint_pid = i ? pid : 0;
		err.text[0] = '\0';
		assert_int_equal(netns_enter(&there, &visit, &err), -EMFILE);
		assert_int_equal(err.code, EMFILE);
		assert_non_null(strstr(err.text, strerror(EMFILE)));
		assert_int_equal(visit.home, -1);
	}
	if (cookie) {
		assert_int_equal(netns_cookie(&cookie, &err), -EMFILE);
		assert_int_equal(netns_enter(&here, &visit, &err), -EMFILE);
		assert_int_equal(visit.home, -1);
	}
	assert_int_equal(netns_for_each(count_visits, &visits), -EMFILE);
	assert_int_equal(visits, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(netns_enter(&there, &visit, NULL), 0);
	netns_leave(&visit);
	assert_int_equal(own_inode(), home);
	stop_namespace(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inode_of_a_path),
		cmocka_unit_test(by_no_name_and_by_pid),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(a_namespace_without_a_name),
		cmocka_unit_test(each_namespace_once),
		cmocka_unit_test(own_namespace_is_not_left),
		cmocka_unit_test(a_namespace_that_is_gone),
		cmocka_unit_test(entered_and_left),
		cmocka_unit_test(a_limit_says_nothing),
	};

	return cmocka_run_group_tests_name("netns", tests, NULL, NULL);
}
