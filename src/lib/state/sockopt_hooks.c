// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket option hooks: the programs through which workers ask by socket options. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "error.h"
#include "fd.h"
#include "host/cgroup.h"
#include "host/libbpf_quiet.h"
#include "sockopt.skel.h"
#include "state/pin_dir.h"
#include "state/sockopt_hooks.h"
#include "state/sockopt_maps.h"

static const char sockopt_what[] = "take socket options of workers";

static const struct sockopt_hook {
	const char *name; /* of the pinned link */
	const char *program;
	enum bpf_attach_type type;
} sockopt_hooks[] = {
	{ "setsockopt", "hook_setsockopt", BPF_CGROUP_SETSOCKOPT },
	{ "getsockopt", "hook_getsockopt", BPF_CGROUP_GETSOCKOPT },
};

#define SOCKOPT_HOOKS (sizeof(sockopt_hooks) / sizeof(sockopt_hooks[0]))

/* Those of the other hooks that the programs use. */
static const char *const shared_maps[] = { "interest", "rings", "places" };

#define SHARED_MAPS (sizeof(shared_maps) / sizeof(shared_maps[0]))

/* What kernels may lack. */
struct sockopt_variant {
	bool own_errnos; /* 5.18 */
	bool with_words; /* 5.10 */
};

/* ------------------------------------------------------------------- loading */

/* Use the map that is pinned under this name. Return 0 or -errno. */
static int sockopt_hooks_reuse(struct sockopt_bpf *skeleton, int dir, const char *name)
{
	int fd = pin_dir_get(dir, name), ret;

	if (fd < 0)
		return fd;
	ret = bpf_map__reuse_fd(bpf_object__find_map_by_name(skeleton->obj, name), fd);
	fd_close(fd);
	return ret;
}

static int sockopt_hooks_set_up_maps(struct sockopt_bpf *skeleton, int dir,
				     const struct sockopt_variant *variant)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < SHARED_MAPS; i++)
		ret = sockopt_hooks_reuse(skeleton, dir, shared_maps[i]);
	for (int i = 0; !ret && i < SOCKOPT_MAPS; i++) {
		const char *name = sockopt_maps_name(i);

		if (sockopt_maps_is_optional(i) && !variant->with_words) {
			bpf_map__set_autocreate(bpf_object__find_map_by_name(skeleton->obj, name),
						false);
			continue;
		}
		ret = sockopt_hooks_reuse(skeleton, dir, name);
		if (ret == -ENOENT)
			ret = 0; /* it is new */
	}
	return ret;
}

static struct sockopt_bpf *sockopt_hooks_load_variant(int dir, struct features *features,
						      const struct sockopt_variant *variant)
{
	struct sockopt_bpf *skeleton = sockopt_bpf__open();
	int ret;

	if (!skeleton)
		return NULL;
	skeleton->rodata->netns_cookies = features_have(features, FEATURE_NETNS_COOKIE);
	skeleton->rodata->own_errnos = variant->own_errnos;
	skeleton->rodata->with_words = variant->with_words;
	ret = sockopt_hooks_set_up_maps(skeleton, dir, variant);
	if (!ret)
		ret = sockopt_bpf__load(skeleton);
	if (!ret)
		return skeleton;
	sockopt_bpf__destroy(skeleton);
	errno = -ret;
	return NULL;
}

/* Try with all first, without probing: most kernels have it. */
static struct sockopt_bpf *sockopt_hooks_load(int dir, struct features *features)
{
	static const struct sockopt_variant variants[] = {
		{ .own_errnos = true, .with_words = true },
		{ .with_words = true },
		{ 0 },
	};
	struct sockopt_bpf *skeleton = NULL;

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		skeleton = sockopt_hooks_load_variant(dir, features, &variants[i]);
		/* Fewer features would not help against a limit. */
		if (skeleton || error_is_limit(-errno))
			break;
	}
	return skeleton;
}

/* ------------------------------------------------------------------- pinning */

static int sockopt_hooks_pin_maps(struct sockopt_bpf *skeleton, int dir)
{
	int ret = 0;

	for (int i = 0; !ret && i < SOCKOPT_MAPS; i++) {
		const char *name = sockopt_maps_name(i);
		int fd = bpf_object__find_map_fd_by_name(skeleton->obj, name);
		int has = pin_dir_has(dir, name);

		if (has < 0)
			ret = has;
		else if (!has && fd >= 0)
			ret = pin_dir_pin(dir, name, fd);
	}
	return ret;
}

static int sockopt_hooks_pin_link(struct sockopt_bpf *skeleton, const struct sockopt_hook *hook,
				  int cgroup, int dir)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj,
									     hook->program);
	int has = pin_dir_has(dir, hook->name), link, ret;

	if (has)
		return has < 0 ? has : 0;
	link = bpf_link_create(bpf_program__fd(program), cgroup, hook->type, NULL);
	if (link < 0)
		return -errno;
	ret = pin_dir_pin(dir, hook->name, link);
	fd_close(link);
	return ret;
}

static int sockopt_hooks_pin_links(struct sockopt_bpf *skeleton, int dir)
{
	int cgroup = cgroup_open_root(), ret = 0;

	if (cgroup < 0)
		return cgroup;
	for (size_t i = 0; !ret && i < SOCKOPT_HOOKS; i++)
		ret = sockopt_hooks_pin_link(skeleton, &sockopt_hooks[i], cgroup, dir);
	fd_close(cgroup);
	return ret;
}

/* ------------------------------------------------------------ what is in the way */

static int sockopt_hooks_find_obstacle(struct reuseport_error *err)
{
	char text[160];
	int ret = cgroup_sockopt_obstacle(text, sizeof(text));

	return ret ? fail(err, -ret, "cannot %s: %s", sockopt_what, text) : 0;
}

int sockopt_hooks_explain(struct features *features, struct reuseport_error *err)
{
	int ret = features_explain(features, FEATURE_SOCKOPT, sockopt_what, err);

	return ret ? ret : sockopt_hooks_find_obstacle(err);
}

/* ----------------------------------------------------------------- all of it */

static bool sockopt_hooks_have_maps(int dir)
{
	bool have = true;

	for (int i = 0; have && i < SOCKOPT_MAPS; i++)
		have = sockopt_maps_is_optional(i) || pin_dir_has(dir, sockopt_maps_name(i));
	return have;
}

bool sockopt_hooks_are_there(int dir)
{
	bool are = sockopt_hooks_have_maps(dir);

	for (size_t i = 0; are && i < SOCKOPT_HOOKS; i++)
		are = pin_dir_has(dir, sockopt_hooks[i].name);
	return are;
}

bool sockopt_hooks_are_due(int dir, struct features *features)
{
	if (sockopt_hooks_are_there(dir) || features_disabled(features, FEATURE_SOCKOPT))
		return false;
	if (sockopt_hooks_have_maps(dir) && sockopt_hooks_find_obstacle(NULL))
		return false;
	return features_have(features, FEATURE_SOCKOPT);
}

int sockopt_hooks_make(int dir, struct features *features, struct reuseport_error *err)
{
	struct sockopt_bpf *skeleton;
	int ret = 0, why;

	if (sockopt_hooks_are_there(dir))
		return 0;
	if (features_disabled(features, FEATURE_SOCKOPT))
		return sockopt_hooks_explain(features, err);
	libbpf_quiet_begin();
	skeleton = sockopt_hooks_load(dir, features);
	if (!skeleton)
		ret = -errno;
	if (!ret)
		ret = sockopt_hooks_pin_maps(skeleton, dir);
	if (!ret)
		ret = sockopt_hooks_pin_links(skeleton, dir);
	sockopt_bpf__destroy(skeleton);
	libbpf_quiet_end();
	if (!ret)
		return 0;
	why = sockopt_hooks_explain(features, err);
	return why ? why : fail(err, -ret, "cannot %s: %s", sockopt_what, strerror(-ret));
}

void sockopt_hooks_detach(int dir)
{
	for (size_t i = 0; i < SOCKOPT_HOOKS; i++) {
		int link = pin_dir_get(dir, sockopt_hooks[i].name);

		if (link >= 0 && bpf_link_detach(link))
			errno = 0;
		fd_close(link);
	}
}
