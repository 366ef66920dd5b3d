/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Directories of pins: which are safe to use, and that nothing leads out of them. Needs root,
 * for a bpffs of its own in a private mount namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/pin_dir.h"

#define STRANGER 65534

static char base[] = "/tmp/pin_dir.XXXXXX";
static char bpffs[64], victim[64];
static int root = -1, dir = -1;

static const char *in(const char *where, const char *name)
{
	static char paths[4][PIN_PATH_MAX];
	static unsigned int next;

	return pin_dir_join(where, name, paths[next++ % 4], sizeof(paths[0]));
}

/* A bpffs, as "mount -t bpf" makes it, with a directory of ours. */
static int set_up(void **state)
{
	(void)state;
	if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 0;
	if (!mkdtemp(base))
		return -1;
	snprintf(bpffs, sizeof(bpffs), "%s/bpf", base);
	snprintf(victim, sizeof(victim), "%s/victim", base);
	if (mkdir(bpffs, 0755) || mkdir(victim, 0755) || mount("bpf", bpffs, "bpf", 0, NULL))
		return -1;
	close(open(in(victim, "file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	root = pin_dir_open_bpffs(bpffs, NULL);
	if (root < 0 || pin_dir_make(root, "ours") != 1)
		return -1;
	dir = pin_dir_open(root, "ours", in(bpffs, "ours"), NULL);
	return dir < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (root < 0)
		return 0;
	close(dir);
	close(root);
	umount2(bpffs, MNT_DETACH);
	unlink(in(victim, "file"));
	return rmdir(bpffs) | rmdir(victim) | rmdir(base);
}

static int make_map(void)
{
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "pin_dir", 4, 8, 1, NULL);
}

/* A refusal, and that its error names the path and has the words. */
static void refused(int parent, const char *name, const char *words)
{
	struct reuseport_error err = { 0 };

	assert_int_equal(pin_dir_open(parent, name, "/the/path", &err), -EPERM);
	assert_int_equal(err.code, EPERM);
	if (!strstr(err.text, "/the/path") || !strstr(err.text, words))
		fail_msg("not in the error: '%s', '%s'", words, err.text);
}

static void joining(void **state)
{
	char joined[16];

	(void)state;
	assert_string_equal(pin_dir_join("/a/b", "c", joined, sizeof(joined)), "/a/b/c");
	assert_ptr_equal(pin_dir_join("/a/b", "c", joined, sizeof(joined)), joined);
	/* Never beyond the end. */
	pin_dir_join("/0123456789", "0123456789", joined, sizeof(joined));
	assert_int_equal(strlen(joined), sizeof(joined) - 1);
}

static void the_mount(void **state)
{
	static const struct {
		mode_t mode;
		int code;
	} cases[] = { { 0700, 0 },  { 0755, 0 },      { 01777, 0 },     { 01775, 0 },
		      { 01700, 0 }, { 0777, -EPERM }, { 0770, -EPERM }, { 0702, -EPERM } };
	struct reuseport_error err;
	int fd;

	(void)state;
	if (root < 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(chmod(bpffs, cases[i].mode), 0);
		fd = pin_dir_open_bpffs(bpffs, &err);
		assert_int_equal(fd < 0 ? fd : 0, cases[i].code);
		if (fd >= 0)
			close(fd);
		else
			assert_non_null(strstr(err.text, "chmod 0700"));
		assert_int_equal(pin_dir_is_exposed(dir), 0);
	}
	assert_int_equal(chmod(bpffs, 0700), 0);
	assert_int_equal(chown(bpffs, STRANGER, STRANGER), 0);
	assert_int_equal(pin_dir_open_bpffs(bpffs, &err), -EPERM);
	assert_non_null(strstr(err.text, "user 65534"));
	assert_int_equal(chown(bpffs, 0, 0), 0);
	/* Another file system, a file, a link, nothing. */
	assert_int_equal(pin_dir_open_bpffs(victim, &err), -ENOENT);
	assert_int_equal(pin_dir_open_bpffs(in(victim, "file"), &err), -ENOENT);
	assert_int_equal(symlink(bpffs, in(base, "link")), 0);
	assert_int_equal(pin_dir_open_bpffs(in(base, "link"), &err), -ENOENT);
	assert_int_equal(unlink(in(base, "link")), 0);
	assert_int_equal(pin_dir_open_bpffs(in(base, "none"), &err), -ENOENT);
}

static void directories_of_others(void **state)
{
	const char *path = in(bpffs, "other");

	(void)state;
	if (root < 0)
		skip();
	assert_int_equal(pin_dir_open(root, "other", path, NULL), -ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, STRANGER, STRANGER), 0);
	refused(root, "other", "belongs to user 65534");
	assert_int_equal(chown(path, 0, STRANGER), 0);
	assert_int_equal(chmod(path, 0777), 0);
	refused(root, "other", "mode 0777");
	assert_int_equal(chmod(path, 01777), 0);
	refused(root, "other", "mode 1777");
	assert_int_equal(chmod(path, 0720), 0);
	refused(root, "other", "mode 0720");
	assert_int_equal(chmod(path, 0755), 0);
	close(pin_dir_open(root, "other", path, NULL));
	/* A file system of a user may never answer. */
	assert_int_equal(mount("none", path, "tmpfs", 0, NULL), 0);
	refused(root, "other", "mount");
	assert_int_equal(umount(path), 0);
	assert_int_equal(rmdir(path), 0);
}

static void links_and_files(void **state)
{
	const char *link = in(bpffs, "link"), *pin = in(bpffs, "pin");
	int map;

	(void)state;
	if (root < 0)
		skip();
	assert_int_equal(symlink(victim, link), 0);
	refused(root, "link", "symbolic link");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("ours", link), 0);
	refused(root, "link", "symbolic link");
	assert_int_equal(unlink(link), 0);
	map = make_map();
	assert_true(map >= 0);
	assert_int_equal(pin_dir_pin(root, "pin", map), 0);
	refused(root, "pin", "no directory");
	assert_int_equal(unlink(pin), 0);
	close(map);
}

static void pins(void **state)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int map, fd;

	(void)state;
	if (root < 0)
		skip();
	map = make_map();
	assert_int_equal(pin_dir_pin(dir, "map", map), 0);
	assert_int_equal(pin_dir_pin(dir, "map", map), -EEXIST);
	close(map);
	fd = pin_dir_get(dir, "map");
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	assert_string_equal(info.name, "pin_dir");
	close(fd);
	assert_int_equal(pin_dir_get(dir, "none"), -ENOENT);
	assert_int_equal(pin_dir_has(dir, "map"), 1);
	assert_int_equal(pin_dir_has(dir, "none"), 0);
	/* A directory and a link are no pins. */
	assert_int_equal(pin_dir_make(dir, "mark"), 1);
	assert_int_equal(pin_dir_make(dir, "mark"), 0);
	assert_int_equal(pin_dir_get(dir, "mark"), -ENOENT);
	assert_int_equal(symlinkat("map", dir, "link"), 0);
	assert_int_equal(pin_dir_get(dir, "link"), -ENOENT);
	assert_int_equal(unlinkat(dir, "link", 0), 0);
	pin_dir_unmake(dir, "mark");
	pin_dir_unmake(dir, "mark");
	assert_int_equal(pin_dir_has(dir, "mark"), 0);
	assert_int_equal(pin_dir_clear(dir), 0);
	assert_int_equal(pin_dir_has(dir, "map"), 0);
}

static int count_entries(void *ctx, int at, const char *name)
{
	(void)at, (void)name;
	return ++*(int *)ctx == 100 ? 77 : 0;
}

/* More than one read of the directory brings. */
static void many_entries(void **state)
{
	char name[16];
	int n = 0;

	(void)state;
	if (root < 0)
		skip();
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "entry%d", i);
		assert_int_equal(pin_dir_make(dir, name), 1);
	}
	assert_int_equal(pin_dir_for_each(dir, count_entries, &n), 77);
	assert_int_equal(n, 100);
	n = 1000;
	assert_int_equal(pin_dir_for_each(dir, count_entries, &n), 0);
	assert_int_equal(n, 1300);
	assert_int_equal(pin_dir_check_entries(dir, "/the/path", NULL), 0);
	assert_int_equal(pin_dir_clear(dir), 0);
	n = 1000;
	assert_int_equal(pin_dir_for_each(dir, count_entries, &n), 0);
	assert_int_equal(n, 1000);
}

/* What this toolkit does not make stays, and what a link leads to. */
static void a_link_stays(void **state)
{
	struct reuseport_error err = { 0 };

	(void)state;
	if (root < 0)
		skip();
	assert_int_equal(symlinkat(victim, dir, "link"), 0);
	assert_int_equal(pin_dir_make(dir, "mark"), 1);
	assert_int_equal(pin_dir_check_entries(dir, "/the/path", &err), -EPERM);
	assert_non_null(strstr(err.text, "/the/path/link"));
	assert_int_equal(pin_dir_clear(dir), 0);
	assert_int_equal(pin_dir_has(dir, "mark"), 0);
	assert_int_equal(pin_dir_has(dir, "link"), 1);
	assert_int_equal(access(in(victim, "file"), F_OK), 0);
	assert_int_equal(unlinkat(dir, "link", 0), 0);
}

static void removed_and_renamed(void **state)
{
	int fd;

	(void)state;
	if (root < 0)
		skip();
	assert_int_equal(pin_dir_make(root, "other"), 1);
	fd = pin_dir_open(root, "other", in(bpffs, "other"), NULL);
	assert_int_equal(pin_dir_is_named(fd, "other"), 1);
	assert_int_equal(pin_dir_is_named(fd, "ours"), 0);
	assert_int_equal(pin_dir_is_named(fd, "none"), 0);
	assert_false(pin_dir_is_gone(fd));
	assert_int_equal(renameat(root, "other", root, "moved"), 0);
	assert_int_equal(pin_dir_is_named(fd, "other"), 0);
	assert_int_equal(pin_dir_is_named(fd, "moved"), 1);
	assert_int_equal(rmdir(in(bpffs, "moved")), 0);
	assert_true(pin_dir_is_gone(fd));
	assert_int_equal(pin_dir_is_named(fd, "moved"), 0);
	assert_int_equal(pin_dir_make(fd, "mark"), -ENOENT);
	assert_int_equal(pin_dir_has(fd, "mark"), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining),
		cmocka_unit_test(the_mount),
		cmocka_unit_test(directories_of_others),
		cmocka_unit_test(links_and_files),
		cmocka_unit_test(pins),
		cmocka_unit_test(many_entries),
		cmocka_unit_test(a_link_stays),
		cmocka_unit_test(removed_and_renamed),
	};

	return cmocka_run_group_tests_name("pin_dir", tests, set_up, tear_down);
}
