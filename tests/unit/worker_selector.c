/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Workers by name: which words are names, and what a number alone means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api/worker_selector.h"

#define SLOTS 8

static void parses(const char *text, enum worker_name_kind kind, uint64_t number)
{
	struct worker_name_list list;

	assert_int_equal(worker_name_parse(text, &list, NULL), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.names[0].kind, kind);
	assert_true(list.names[0].number == number);
	assert_string_equal(list.names[0].given, text);
	worker_name_list_free(&list);
}

static void parses_text(const char *text, enum worker_name_kind kind, const char *rest)
{
	struct worker_name_list list;

	assert_int_equal(worker_name_parse(text, &list, NULL), 0);
	assert_int_equal(list.names[0].kind, kind);
	assert_int_equal(list.names[0].length, strlen(rest));
	assert_memory_equal(list.names[0].text, rest, strlen(rest));
	worker_name_list_free(&list);
}

static void names(void **state)
{
	(void)state;
	parses("slot:0", WORKER_BY_SLOT, 0);
	parses("slot:32767", WORKER_BY_SLOT, 32767);
	parses("pid:1234", WORKER_BY_PID, 1234);
	parses("cookie:4097", WORKER_BY_COOKIE, 4097);
	parses("cookie:18446744073709551615", WORKER_BY_COOKIE, UINT64_MAX);
	parses("cookie:0x1001", WORKER_BY_COOKIE, 4097);
	parses("sk:1001", WORKER_BY_COOKIE, 4097);
	parses("sk:aBc", WORKER_BY_COOKIE, 0xabc);
	parses("sk:ffffffffffffffff", WORKER_BY_COOKIE, UINT64_MAX);
	parses("7", WORKER_BY_ANY, 7);
	parses("0", WORKER_BY_ANY, 0);
	parses("007", WORKER_BY_ANY, 7);
	parses_text("comm:nginx", WORKER_BY_COMM, "nginx");
	parses_text("comm:a b:c", WORKER_BY_COMM, "a b:c");
	parses_text("unit:nginx@1.service", WORKER_BY_UNIT, "nginx@1.service");
	parses_text("cgroup:/", WORKER_BY_CGROUP, "");
	parses_text("cgroup:/system.slice/a.service/", WORKER_BY_CGROUP, "/system.slice/a.service");
}

static void several_names(void **state)
{
	struct worker_name_list list;

	(void)state;
	assert_int_equal(worker_name_parse("slot:1,pid:7,comm:a,9", &list, NULL), 0);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.names[0].kind, WORKER_BY_SLOT);
	assert_int_equal(list.names[1].number, 7);
	assert_string_equal(list.names[2].given, "comm:a");
	assert_int_equal(list.names[3].kind, WORKER_BY_ANY);
	worker_name_list_free(&list);
}

static bool fits(const char *text, const char *path)
{
	struct worker_name_list list;
	bool is;

	assert_int_equal(worker_name_parse(text, &list, NULL), 0);
	is = worker_name_fits_cgroup(&list.names[0], path);
	worker_name_list_free(&list);
	return is;
}

static void cgroups(void **state)
{
	static const char path[] = "/system.slice/nginx@1.service/main";

	(void)state;
	assert_true(fits("unit:nginx@1", path));
	assert_true(fits("unit:nginx@1.service", path));
	assert_true(fits("unit:system.slice", path));
	assert_true(fits("unit:main", path));
	assert_false(fits("unit:nginx", path));
	assert_false(fits("unit:nginx@1.servic", path));
	assert_false(fits("unit:nginx@", path));
	assert_false(fits("unit:system", path));
	assert_true(fits("cgroup:/", path));
	assert_true(fits("cgroup:/system.slice", path));
	assert_true(fits("cgroup:/system.slice/nginx@1.service/", path));
	assert_true(fits("cgroup:/system.slice/nginx@1.service/main", path));
	assert_false(fits("cgroup:/system.slic", path));
	assert_false(fits("cgroup:/system.slice/nginx@1", path));
	assert_false(fits("cgroup:/nginx@1.service", path));
}

static void other_words(void **state)
{
	static const char *const words[] = {
		"",
		" ",
		"slot",
		"slot:",
		"slot: 1",
		"slot:1 ",
		"slot:-1",
		"slot:+1",
		"slot:x",
		"slot:1x",
		"slot:0x1",
		"sk:",
		"sk:0x",
		"sk:g",
		"sk:10000000000000000",
		"cookie:0x",
		"cookie:a",
		"0x7",
		"slot:1.5",
		"Slot:1",
		"SLOT:1",
		"slots:1",
		"slot=1",
		":1",
		"pid:",
		"pid:abc",
		"pid:1,",
		",pid:1",
		"pid:1,,2",
		"comm:",
		"unit:",
		"unit:a/b",
		"cgroup:",
		"cgroup:system.slice",
		"pid:1,x",
		"pid:1:2",
		"cookie:",
		"cookie:4097\n",
		"cookie:18446744073709551616",
		"99999999999999999999999",
		"-1",
		"+1",
		"1 2",
		"x",
		"1x",
		"0x10",
		"all",
		"slot:slot:1",
		"pid:slot:1",
		"slot:1\nslot:2",
		"nginx",
	};
	struct worker_selector name, before;
	struct reuseport_error err;

	(void)state;
	memset(&name, 0x55, sizeof(name));
	before = name;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (worker_selector_parse(words[i], &name, &err) != -EINVAL)
			fail_msg("taken for a name: '%s'", words[i]);
		assert_int_equal(err.code, EINVAL);
		assert_memory_equal(&name, &before, sizeof(name));
		assert_non_null(strstr(err.text, "slot:N"));
	}
}

/* ------------------------------------------------------------ among workers */

/* The kernel's array, but one that takes cookies. */
static int make_sockets(void)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sockets", 4, 8, SLOTS, NULL);

	assert_true(map >= 0);
	return map;
}

static void seat(struct attachment *one, uint32_t slot, uint32_t pid, uint64_t cookie)
{
	one->view.workers[slot] =
		(struct worker_entry){ .state = WORKER_ACTIVE, .pid = pid, .cookie = cookie };
	assert_int_equal(
		bpf_map_update_elem(one->steering.maps[MAP_SOCKETS], &slot, &cookie, BPF_ANY), 0);
}

static int begin(void **state)
{
	struct attachment *list = calloc(2, sizeof(*list));

	for (int i = 0; i < 2; i++) {
		list[i].steering = STEERING_NONE;
		list[i].steering.maps[MAP_SOCKETS] = make_sockets();
		list[i].entry.slots = list[i].view.size.slots = SLOTS;
		list[i].view.workers = calloc(SLOTS, sizeof(struct worker_entry));
	}
	/* Two sockets of process 100, one of 101; in the other group one of each. */
	seat(&list[0], 0, 100, 5000);
	seat(&list[0], 1, 100, 5001);
	seat(&list[0], 2, 101, 5002);
	seat(&list[1], 0, 100, 6000);
	seat(&list[1], 3, 101, 6001);
	*state = list;
	return 0;
}

static int end(void **state)
{
	struct attachment *list = *state;

	for (int i = 0; i < 2; i++) {
		close(list[i].steering.maps[MAP_SOCKETS]);
		free(list[i].view.workers);
	}
	free(list);
	return 0;
}

/* How many workers the name is of, or -errno. */
static int count(const char *text, const struct attachment *list, size_t n)
{
	struct reuseport_error err = { 0 };
	struct worker_selector name = { 0 };
	int found = 0, ret = worker_selector_parse(text, &name, &err);

	if (!ret)
		ret = worker_selector_find(&name, list, n, &err);
	if (ret) {
		assert_int_equal(err.code, -ret);
		goto out;
	}
	assert_int_not_equal(name.names.names[0].kind, WORKER_BY_ANY);
	for (size_t i = 0; i < n; i++)
		for (unsigned int slot = 0; slot < SLOTS; slot++)
			found += worker_selector_matches(&name, &list[i], slot);
out:
	worker_selector_free(&name);
	return ret ? ret : found;
}

static void by_each_kind(void **state)
{
	const struct attachment *list = *state;

	assert_int_equal(count("slot:0", list, 2), 2);
	assert_int_equal(count("slot:3", list, 2), 1);
	assert_int_equal(count("pid:100", list, 2), 3);
	assert_int_equal(count("pid:100", list, 1), 2);
	assert_int_equal(count("cookie:6001", list, 2), 1);
	assert_int_equal(count("0", list, 2), 2);
	assert_int_equal(count("101", list, 2), 2);
	assert_int_equal(count("5001", list, 2), 1);
	assert_int_equal(count("slot:3,pid:101", list, 2), 2);
	assert_int_equal(count("cookie:5000,cookie:5001,slot:0", list, 1), 2);
	assert_int_equal(count("slot:0,slot:5", list, 2), -ENOENT);
}

static void nobody(void **state)
{
	struct attachment *list = *state;
	static const char *const names[] = { "slot:5",   "slot:8",     "slot:4294967296",
					     "pid:0",    "pid:5000",   "pid:4294967396",
					     "cookie:0", "cookie:100", "999" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (count(names[i], list, 2) != -ENOENT)
			fail_msg("somebody: %s", names[i]);
	assert_int_equal(count("cookie:6001", list, 1), -ENOENT);
	/* Of whom no process is known. */
	seat(&list[0], 5, 0, 5005);
	assert_int_equal(count("pid:0", list, 2), -ENOENT);
}

static void a_number_that_is_two(void **state)
{
	struct attachment *list = *state;

	seat(&list[0], 4, 2, 7000); /* of process 2, which is a slot too */
	assert_int_equal(count("2", list, 2), -EINVAL);
	assert_int_equal(count("slot:2", list, 2), 1);
	assert_int_equal(count("pid:2", list, 2), 1);
	seat(&list[1], 5, 200, 101); /* a cookie that is a pid too */
	assert_int_equal(count("101", list, 2), -EINVAL);
	/* In that group alone the pid is of another worker. */
	assert_int_equal(count("101", list + 1, 1), -EINVAL);
	assert_int_equal(count("101", list, 1), 1);
}

static void one_worker_by_two_names(void **state)
{
	struct attachment *list = *state;

	seat(&list[0], 6, 6, 6);
	assert_int_equal(count("6", list, 2), 1);
}

/* Its entry is still there, until the keeper looks. */
static void who_has_left_is_nobody(void **state)
{
	struct attachment *list = *state;
	uint64_t none = 0, other = 8000;
	uint32_t slot = 2;

	assert_int_equal(
		bpf_map_update_elem(list[0].steering.maps[MAP_SOCKETS], &slot, &none, BPF_ANY), 0);
	assert_int_equal(count("slot:2", list, 2), -ENOENT);
	assert_int_equal(count("cookie:5002", list, 2), -ENOENT);
	assert_int_equal(count("pid:101", list, 2), 1);
	/* The slot of one that came after it, and that has no entry yet. */
	assert_int_equal(
		bpf_map_update_elem(list[0].steering.maps[MAP_SOCKETS], &slot, &other, BPF_ANY), 0);
	assert_int_equal(count("slot:2", list, 2), -ENOENT);
	list[0].view.workers[0].state = WORKER_FREE;
	assert_int_equal(count("slot:0", list, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(several_names),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(other_words),
		cmocka_unit_test_setup_teardown(by_each_kind, begin, end),
		cmocka_unit_test_setup_teardown(nobody, begin, end),
		cmocka_unit_test_setup_teardown(a_number_that_is_two, begin, end),
		cmocka_unit_test_setup_teardown(one_worker_by_two_names, begin, end),
		cmocka_unit_test_setup_teardown(who_has_left_is_nobody, begin, end),
	};

	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
