// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hooks: load, pin, open and remove the set of programs that all attachments share. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "hooks.skel.h"
#include "host/cgroup.h"
#include "host/libbpf_quiet.h"
#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/pins_name.h"
#include "state/pins_root.h"
#include "state/sockopt_hooks.h"

#define PATH BPFFS "/" PINS_ROOT "/" HOOKS /* for messages */
#define LOCK_PAUSE_MS 1
#define LOCK_TRIES 2000
#define OPEN_TRIES 20 /* each time it was removed meanwhile */

static const char what[] = "be told of binds";

/* ------------------------------------------------------------ what is in it */

static const struct hook_map_kind {
	const char *name;
	__u32 type, key_size, value_size, entries;
} map_kinds[HOOKS_MAPS] = {
	[HOOKS_INTEREST] = { "interest", BPF_MAP_TYPE_HASH, sizeof(struct interest), sizeof(__u64),
			     INTEREST_MAX },
	[HOOKS_RINGS] = { "rings", BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(__u32), sizeof(__u32),
			  HOOK_PLACES },
	[HOOKS_PLACES] = { "places", BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct hook_place),
			   HOOK_PLACES },
};

/* The programs. */
static const struct hook {
	const char *name; /* of the pinned link */
	const char *program;
	enum bpf_attach_type type;
} hooks_of_set[] = {
	{ "bind4", "hook_bind4", BPF_CGROUP_INET4_POST_BIND },
	{ "bind6", "hook_bind6", BPF_CGROUP_INET6_POST_BIND },
};

#define HOOKS_OF_SET (sizeof(hooks_of_set) / sizeof(hooks_of_set[0]))

/* What is pinned for the commands; the set is whole without them. */
static const struct hook_iter {
	const char *name; /* of the pin */
	const char *program;
} hook_iters[] = {
	{ HOOK_ITER_TCP, "hook_iter_tcp" },
	{ HOOK_ITER_UDP, "hook_iter_udp" },
};

#define HOOK_ITERS (sizeof(hook_iters) / sizeof(hook_iters[0]))

/* What it needs of the kernel, the most telling first. */
static const enum feature needed[] = { FEATURE_RING_BUFFER, FEATURE_CGROUP2, FEATURE_BIND_EVENTS };

#define NEEDED (sizeof(needed) / sizeof(needed[0]))

bool hooks_disabled(const struct features *features)
{
	for (size_t i = 0; i < NEEDED; i++)
		if (features_disabled(features, needed[i]))
			return true;
	return false;
}

int hooks_explain(struct features *features, int code, struct reuseport_error *err)
{
	int ret = 0;

	if (code == EUSERS)
		return fail(err, code,
			    "cannot %s: %d other programs are there, as many as a cgroup takes: "
			    "'bpftool cgroup tree' lists them",
			    what, CGROUP_PROGRAMS_MAX);
	for (size_t i = 0; !ret && i < NEEDED; i++)
		if (code || features_disabled(features, needed[i]))
			ret = features_explain(features, needed[i], what, err);
	return ret ? ret : fail(err, code, "cannot %s: %s", what, strerror(code));
}

/* ------------------------------------------------------------------- making */

static int hooks_pin_maps(struct hooks_bpf *skeleton, int dir)
{
	int ret = 0;

	for (int i = 0; !ret && i < HOOKS_MAPS; i++)
		ret = pin_dir_pin(dir, map_kinds[i].name,
				  bpf_object__find_map_fd_by_name(skeleton->obj,
								  map_kinds[i].name));
	return ret;
}

/* Attach one program to the cgroup and pin the link, which then outlives this process. */
static int hooks_pin_link(struct hooks_bpf *skeleton, const struct hook *hook, int cgroup, int dir)
{
	struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj,
								       hook->program);
	struct bpf_link *link = bpf_program__attach_cgroup(program, cgroup);
	int ret;

	if (!link)
		return errno == E2BIG && cgroup_is_full(cgroup, hook->type) ? -EUSERS : -errno;
	ret = pin_dir_pin(dir, hook->name, bpf_link__fd(link));
	bpf_link__destroy(link);
	return ret;
}

static int hooks_pin_links(struct hooks_bpf *skeleton, int dir)
{
	int cgroup = cgroup_open_root(), ret = 0;

	if (cgroup < 0)
		return cgroup;
	for (size_t i = 0; !ret && i < HOOKS_OF_SET; i++)
		ret = hooks_pin_link(skeleton, &hooks_of_set[i], cgroup, dir);
	close(cgroup);
	return ret;
}

static int hooks_pin_iters(struct hooks_bpf *skeleton, int dir)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < HOOK_ITERS; i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(skeleton->obj, hook_iters[i].program);

		if (bpf_program__autoload(program))
			ret = pin_dir_pin(dir, hook_iters[i].name, bpf_program__fd(program));
	}
	return ret;
}

static struct hooks_bpf *hooks_load_programs(struct features *features, bool with_iters)
{
	struct hooks_bpf *skeleton = hooks_bpf__open();
	int ret;

	if (!skeleton)
		return NULL;
	skeleton->rodata->netns_cookies = features_have(features, FEATURE_NETNS_COOKIE);
	for (size_t i = 0; i < HOOK_ITERS; i++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(skeleton->obj,
									   hook_iters[i].program),
					  with_iters);
	ret = hooks_bpf__load(skeleton);
	if (!ret)
		return skeleton;
	hooks_bpf__destroy(skeleton);
	errno = -ret;
	return NULL;
}

static int hooks_load(int dir, struct features *features)
{
	bool with_iters = !features_disabled(features, FEATURE_ITERATORS);
	struct hooks_bpf *skeleton = hooks_load_programs(features, with_iters);
	int ret;

	/* The kernel may have hooks only. */
	if (!skeleton && with_iters)
		skeleton = hooks_load_programs(features, false);
	if (!skeleton)
		return -errno;
	ret = hooks_pin_maps(skeleton, dir);
	if (!ret)
		ret = hooks_pin_iters(skeleton, dir);
	if (!ret)
		ret = hooks_pin_links(skeleton, dir);
	hooks_bpf__destroy(skeleton);
	return ret;
}

/* ------------------------------------------------------------------ removing */

/* Take the programs off at once: without its pin the kernel takes a link off a while later,
 * and before 5.9 only so. */
static void hooks_detach_links(int dir)
{
	for (size_t i = 0; i < HOOKS_OF_SET; i++) {
		int link = pin_dir_get(dir, hooks_of_set[i].name);

		if (link >= 0 && bpf_link_detach(link))
			errno = 0;
		fd_close(link);
	}
}

static void hooks_clear(int root, int dir)
{
	hooks_detach_links(dir);
	sockopt_hooks_detach(dir);
	pin_dir_clear(dir);
	pin_dir_unmake(root, HOOKS);
}

static int hooks_note_attachment(void *ctx, int root, const char *name)
{
	struct reuseport_key key;

	(void)ctx;
	(void)root;
	return !pins_parse(name, &key);
}

/* ------------------------------------------------------------------- opening */

static int hooks_lock(int dir, struct reuseport_error *err)
{
	for (int tries = 0; flock(dir, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EWOULDBLOCK)
			return fail(err, errno, "cannot lock " PATH ": %s", strerror(errno));
		if (tries == LOCK_TRIES)
			return fail(err, EBUSY,
				    "another process is changing " PATH " and does not finish");
		clock_sleep_ms(LOCK_PAUSE_MS);
	}
	return 0;
}

/* Open the directory and lock it. Return the fd, or -ENOENT without an error. */
static int hooks_open_dir(int root, bool make, struct reuseport_error *err)
{
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		int made = make ? pin_dir_make(root, HOOKS) : 0, dir, ret;

		if (made < 0)
			return fail(err, -made, "cannot make " PATH ": %s", strerror(-made));
		dir = pin_dir_open(root, HOOKS, PATH, err);
		if (dir == -ENOENT && make)
			continue;
		if (dir < 0)
			return dir;
		ret = hooks_lock(dir, err);
		if (!ret && !pin_dir_is_gone(dir))
			return dir;
		close(dir);
		if (ret)
			return ret;
	}
	return make ? fail(err, EBUSY, PATH " is removed again and again: try again") : -ENOENT;
}

static bool hooks_map_fits(int map, const struct hook_map_kind *kind)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(map, &info, &len) && info.type == kind->type &&
	       info.key_size == kind->key_size && info.value_size == kind->value_size &&
	       info.max_entries == kind->entries;
}

static int hooks_open_maps(struct hooks *hooks, struct reuseport_error *err)
{
	for (int i = 0; i < HOOKS_MAPS; i++) {
		int map = pin_dir_get(hooks->dir, map_kinds[i].name);

		if (map < 0)
			return fail(err, map == -ENOENT ? EPROTO : -map,
				    "cannot open " PATH "/%s: %s", map_kinds[i].name,
				    strerror(-map));
		hooks->maps[i] = map;
		if (!hooks_map_fits(map, &map_kinds[i]))
			return fail(err, EPROTO,
				    PATH " is of another version: detach every group, then attach "
					 "again");
	}
	return 0;
}

/* Make the set in its directory, in which there may be a part of it. */
static int hooks_make(int root, int dir, struct features *features, struct reuseport_error *err)
{
	int ret;

	pin_dir_clear(dir);
	libbpf_quiet_begin();
	ret = hooks_load(dir, features);
	libbpf_quiet_end();
	if (!ret)
		return 0;
	hooks_clear(root, dir);
	return hooks_explain(features, -ret, err);
}

/* Return whether all of it is pinned, and was not left half made: 1, 0 or -errno. */
static int hooks_are_complete(int dir)
{
	int has = 1;

	for (int i = 0; has > 0 && i < HOOKS_MAPS; i++)
		has = pin_dir_has(dir, map_kinds[i].name);
	for (size_t i = 0; has > 0 && i < HOOKS_OF_SET; i++)
		has = pin_dir_has(dir, hooks_of_set[i].name);
	return has;
}

bool hooks_are_there(int root, struct features *features)
{
	int dir = pin_dir_open(root, HOOKS, PATH, NULL);
	bool there;

	if (dir < 0)
		return dir != -ENOENT;
	there = hooks_are_complete(dir) && !sockopt_hooks_are_due(dir, features);
	close(dir);
	return there;
}

int hooks_open(int root, struct features *features, struct hooks *hooks,
	       struct reuseport_error *err)
{
	int ret, complete;

	*hooks = (struct hooks){ .dir = -1, .maps = { -1, -1, -1 } };
	if (features && hooks_disabled(features))
		return hooks_explain(features, 0, err);
	hooks->dir = hooks_open_dir(root, features, err);
	if (hooks->dir < 0)
		return hooks->dir;
	complete = hooks_are_complete(hooks->dir);
	if (complete > 0)
		ret = 0;
	else if (complete < 0)
		ret = fail(err, -complete, "cannot look into " PATH ": %s", strerror(-complete));
	else
		ret = features ? hooks_make(root, hooks->dir, features, err) : -ENOENT;
	if (!ret)
		ret = hooks_open_maps(hooks, err);
	/* The set works without these; hooks_explain_sockopt() says why. */
	if (!ret && features && sockopt_hooks_are_due(hooks->dir, features) &&
	    sockopt_hooks_make(hooks->dir, features, NULL))
		errno = 0;
	if (ret)
		hooks_close(hooks);
	return ret;
}

void hooks_close(struct hooks *hooks)
{
	for (int i = 0; i < HOOKS_MAPS; i++)
		fd_close(hooks->maps[i]);
	/* Last: it holds the lock. */
	fd_close(hooks->dir);
	*hooks = (struct hooks){ .dir = -1, .maps = { -1, -1, -1 } };
}

void hooks_remove_unused(int root)
{
	int dir = hooks_open_dir(root, false, NULL);

	if (dir < 0)
		return;
	if (!pin_dir_for_each(root, hooks_note_attachment, NULL))
		hooks_clear(root, dir);
	close(dir);
}
