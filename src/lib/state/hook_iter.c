// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hook iterators: the socket iterators that are pinned with the hooks. To load them takes
 * longer than most commands, because libbpf reads all types of the kernel. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "state/hook_iter.h"
#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"

static bool hook_iter_fits(int prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(prog, &info, &len) && info.type == BPF_PROG_TYPE_TRACING;
}

/* Return the program, or a negative number. */
static int hook_iter_get(int dir, const char *name)
{
	int prog = pin_dir_get(dir, name);

	if (prog < 0 || hook_iter_fits(prog))
		return prog;
	close(prog);
	return -ENOENT;
}

static int hook_iter_open_dir(void)
{
	char path[PIN_PATH_MAX];
	int root = pins_open_root(false, path, sizeof(path), NULL), dir;

	if (root < 0)
		return root;
	dir = pin_dir_open(root, HOOKS, path, NULL);
	close(root);
	return dir;
}

static int hook_iter_open_pinned(struct group_iter **reader, struct reuseport_error *err)
{
	int dir = hook_iter_open_dir(), tcp, udp, ret = -ENOENT;

	if (dir < 0)
		return dir;
	tcp = hook_iter_get(dir, HOOK_ITER_TCP);
	udp = hook_iter_get(dir, HOOK_ITER_UDP);
	close(dir);
	if (tcp >= 0 && udp >= 0)
		ret = group_iter_use(tcp, udp, reader, err);
	if (!ret)
		return 0;
	fd_close(tcp);
	fd_close(udp);
	return ret;
}

int hook_iter_open(struct group_iter **reader, struct reuseport_error *err)
{
	return hook_iter_open_pinned(reader, err) ? group_iter_open(reader, err) : 0;
}
