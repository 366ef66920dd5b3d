// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The steering program and the maps that outlive it: loading, pinning. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "program.h"
#include "quiet.h"
#include "steer.skel.h"

/* ---------------------------------------------------------------- loading */

static int set_up_map(struct bpf_map *map, int fd, unsigned int slots)
{
	if (fd >= 0)
		return bpf_map__reuse_fd(map, fd);
	return slots ? bpf_map__set_max_entries(map, slots) : 0;
}

static int set_up_maps(struct steer_bpf *skeleton, const struct steering *have, unsigned int slots)
{
	int ret;

	ret = set_up_map(skeleton->maps.sockets, have->sockets, slots);
	if (!ret)
		ret = set_up_map(skeleton->maps.workers, have->workers, slots);
	if (!ret)
		ret = set_up_map(skeleton->maps.counters, have->counters, slots);
	if (!ret)
		ret = set_up_map(skeleton->maps.totals, have->totals, 0);
	if (!ret)
		ret = set_up_map(skeleton->maps.attachment, have->attachment, 0);
	return ret;
}

static struct bpf_program *choose_program(struct steer_bpf *skeleton, const char *policy)
{
	struct bpf_program *prog, *chosen = NULL;
	char name[32];

	snprintf(name, sizeof(name), "steer_%s", policy);
	bpf_object__for_each_program(prog, skeleton->obj) {
		bool wanted = !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, wanted);
		if (wanted)
			chosen = prog;
	}
	return chosen;
}

/* Duplicates an fd of the skeleton for keeps, unless it is kept already. */
static int keep(int *kept, int fd)
{
	if (*kept < 0)
		*kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *kept < 0 ? -errno : 0;
}

static int keep_all(struct steering *steering, struct steer_bpf *skeleton,
		    const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int ret;

	ret = bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len);
	if (!ret)
		ret = keep(&steering->program, bpf_program__fd(prog));
	if (!ret)
		ret = keep(&steering->sockets, bpf_map__fd(skeleton->maps.sockets));
	if (!ret)
		ret = keep(&steering->workers, bpf_map__fd(skeleton->maps.workers));
	if (!ret)
		ret = keep(&steering->counters, bpf_map__fd(skeleton->maps.counters));
	if (!ret)
		ret = keep(&steering->totals, bpf_map__fd(skeleton->maps.totals));
	if (!ret)
		ret = keep(&steering->attachment, bpf_map__fd(skeleton->maps.attachment));
	steering->program_id = info.id;
	return ret;
}

struct variant {
	bool migrate;
	bool plain_reads;
};

static int load_variant(struct steering *steering, const char *policy, unsigned int slots,
			struct variant variant)
{
	struct steer_bpf *skeleton = steer_bpf__open();
	struct bpf_program *prog;
	int ret;

	if (!skeleton)
		return -errno;
	prog = choose_program(skeleton, policy);
	skeleton->rodata->slots = slots;
	skeleton->rodata->plain_reads = variant.plain_reads;
	skeleton->rodata->migrate = variant.migrate;
	bpf_program__set_expected_attach_type(prog, variant.migrate ?
					      BPF_SK_REUSEPORT_SELECT_OR_MIGRATE :
					      BPF_SK_REUSEPORT_SELECT);
	ret = set_up_maps(skeleton, steering, slots);
	if (!ret)
		ret = steer_bpf__load(skeleton);
	if (!ret)
		ret = keep_all(steering, skeleton, prog);
	steer_bpf__destroy(skeleton);
	return ret;
}

static int explain_load(int code, struct reuseport_error *err)
{
	if (code == EPERM || code == EACCES)
		return fail(err, code, "the kernel refused the steering program: %s; loading needs "
			    "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and Linux 4.19 or newer",
			    strerror(code));
	if (code == ENOSYS)
		return fail(err, EOPNOTSUPP, "this kernel has no bpf(): steering needs one built "
			    "with CONFIG_BPF_SYSCALL");
	if (code == ESRCH || code == ENOENT)
		return fail(err, EOPNOTSUPP, "this kernel describes itself nowhere: steering needs "
			    "BTF (CONFIG_DEBUG_INFO_BTF), /sys/kernel/btf/vmlinux");
	return fail(err, code, "cannot load the steering program: %s", strerror(code));
}

int steering_load(struct steering *steering, const char *policy, unsigned int slots,
		  unsigned int disable, struct reuseport_error *err)
{
	static const struct variant best_first[] = {
		{ true, true }, { true, false }, { false, true }, { false, false },
	};
	libbpf_print_fn_t before = quiet_begin();
	int ret = -EOPNOTSUPP;

	for (size_t i = 0; ret && i < sizeof(best_first) / sizeof(best_first[0]); i++) {
		if (best_first[i].migrate && (disable & REUSEPORT_DISABLE_MIGRATION))
			continue;
		if (best_first[i].plain_reads && (disable & REUSEPORT_DISABLE_PLAIN_READS))
			continue;
		ret = load_variant(steering, policy, slots, best_first[i]);
	}
	quiet_end(before);
	return ret ? explain_load(-ret, err) : 0;
}

/* ---------------------------------------------------------------- pinning */

static int pin(int fd, const char *path, const char *name)
{
	char joined[REUSEPORT_PATH_MAX + 32];

	return bpf_obj_pin(fd, pins_join(path, name, joined, sizeof(joined))) ? -errno : 0;
}

int steering_pin(const struct steering *steering, const char *path, struct reuseport_error *err)
{
	int ret;

	ret = pin(steering->sockets, path, PIN_SOCKETS);
	if (!ret)
		ret = pin(steering->workers, path, PIN_WORKERS);
	if (!ret)
		ret = pin(steering->counters, path, PIN_COUNTERS);
	if (!ret)
		ret = pin(steering->totals, path, PIN_TOTALS);
	if (!ret)
		ret = pin(steering->attachment, path, PIN_ATTACHMENT);
	if (!ret)
		ret = pin(steering->program, path, PIN_PROGRAM);
	if (ret)
		return fail(err, -ret, "cannot pin in %s: %s", path, strerror(-ret));
	return 0;
}

int steering_repin_program(const struct steering *steering, const char *path,
			   struct reuseport_error *err)
{
	char fresh[REUSEPORT_PATH_MAX + 32], place[REUSEPORT_PATH_MAX + 32];
	int ret;

	pins_join(path, PIN_PROGRAM "-new", fresh, sizeof(fresh));
	pins_join(path, PIN_PROGRAM, place, sizeof(place));
	unlink(fresh);
	ret = pin(steering->program, path, PIN_PROGRAM "-new");
	if (!ret && rename(fresh, place))
		ret = -errno;
	if (ret)
		return fail(err, -ret, "cannot pin in %s: %s", path, strerror(-ret));
	return 0;
}

/* "map" or "prog": what the kernel says of the fd, before it is asked as such. */
static bool is_kind(int fd, const char *kind)
{
	char path[32], link[64], wanted[32];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(wanted, sizeof(wanted), "anon_inode:bpf-%s", kind);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return false;
	link[len] = '\0';
	return !strcmp(link, wanted);
}

static int open_pin(int *fd, const char *path, const char *name)
{
	char joined[REUSEPORT_PATH_MAX + 32];

	*fd = bpf_obj_get(pins_join(path, name, joined, sizeof(joined)));
	if (*fd >= 0 && !is_kind(*fd, strcmp(name, PIN_PROGRAM) ? "map" : "prog")) {
		close(*fd);
		*fd = -1;
	}
	return *fd < 0 ? -ENOENT : 0;
}

static bool map_is(int fd, __u32 type, __u32 value_size, __u32 entries)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == type &&
	       info.value_size == value_size && info.max_entries == entries;
}

bool steering_fits(const struct steering *steering, unsigned int slots)
{
	return map_is(steering->sockets, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, sizeof(__u64), slots) &&
	       map_is(steering->workers, BPF_MAP_TYPE_ARRAY, sizeof(struct worker_entry), slots) &&
	       map_is(steering->counters, BPF_MAP_TYPE_PERCPU_ARRAY,
		      sizeof(struct slot_counters), slots) &&
	       map_is(steering->totals, BPF_MAP_TYPE_PERCPU_ARRAY,
		      sizeof(struct group_counters), 1);
}

int steering_open(struct steering *steering, const char *path)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int ret = 0;

	*steering = STEERING_NONE;
	ret |= open_pin(&steering->sockets, path, PIN_SOCKETS);
	ret |= open_pin(&steering->workers, path, PIN_WORKERS);
	ret |= open_pin(&steering->counters, path, PIN_COUNTERS);
	ret |= open_pin(&steering->totals, path, PIN_TOTALS);
	ret |= open_pin(&steering->attachment, path, PIN_ATTACHMENT);
	ret |= open_pin(&steering->program, path, PIN_PROGRAM);
	if (steering->program < 0 || bpf_obj_get_info_by_fd(steering->program, &info, &len) ||
	    info.type != BPF_PROG_TYPE_SK_REUSEPORT)
		return -ENOENT;
	steering->program_id = info.id;
	return ret;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void steering_close(struct steering *steering)
{
	close_fd(steering->program);
	close_fd(steering->sockets);
	close_fd(steering->workers);
	close_fd(steering->counters);
	close_fd(steering->totals);
	close_fd(steering->attachment);
	*steering = STEERING_NONE;
}
