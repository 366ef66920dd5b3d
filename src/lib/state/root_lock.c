// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Root lock: the lock on the directory of all attachments, which the host's keeper holds. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/pins_name.h"
#include "state/pins_root.h"
#include "state/root_lock.h"

/* ------------------------------------------------------------- the keeper */

int root_lock_take(int root)
{
	if (flock(root, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return pin_dir_is_named(root, PINS_ROOT) > 0 ? 0 : -ENOENT;
}

int root_lock_is_held(int root)
{
	if (flock(root, LOCK_SH | LOCK_NB))
		return errno == EWOULDBLOCK ? 1 : -errno;
	flock(root, LOCK_UN);
	return 0;
}

/* The range of the directory that stands for an attachment. Its type decides nothing: only the
 * host's keeper sets any. */
static struct flock root_lock_range(uint64_t inode, int type)
{
	return (struct flock){ .l_type = type,
			       .l_whence = SEEK_SET,
			       .l_start = (off_t)(inode & INT64_MAX),
			       .l_len = 1 };
}

int root_lock_keep(int root, uint64_t inode)
{
	/* A directory cannot be open for writing, which a lock for writing needs. */
	struct flock range = root_lock_range(inode, F_RDLCK);

	return fcntl(root, F_OFD_SETLK, &range) ? -errno : 0;
}

int root_lock_release(int root, uint64_t inode)
{
	struct flock range = root_lock_range(inode, F_UNLCK);

	return fcntl(root, F_OFD_SETLK, &range) ? -errno : 0;
}

int root_lock_keeps(int root, uint64_t inode)
{
	struct flock range = root_lock_range(inode, F_WRLCK);

	if (fcntl(root, F_OFD_GETLK, &range))
		return -errno;
	return range.l_type != F_UNLCK;
}

int root_lock_note_keeper(int root, const struct keeper_entry *entry)
{
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, ROOT_KEEPER, sizeof(uint32_t), sizeof(*entry),
				 1, NULL);
	uint32_t zero = 0;
	int ret;

	if (map < 0)
		return -errno;
	ret = bpf_map_update_elem(map, &zero, entry, BPF_ANY) ? -errno : 0;
	if (!ret && unlinkat(root, ROOT_KEEPER, 0) && errno != ENOENT)
		ret = -errno;
	if (!ret)
		ret = pin_dir_pin(root, ROOT_KEEPER, map);
	if (!ret)
		return map;
	close(map);
	return ret;
}

int root_lock_read_keeper(int root, struct keeper_entry *entry)
{
	int map = pin_dir_get(root, ROOT_KEEPER), ret;
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), zero = 0;
	struct keeper_entry read;

	if (map < 0)
		return map;
	ret = bpf_obj_get_info_by_fd(map, &info, &len) ? -errno : 0;
	if (!ret && info.value_size != sizeof(read))
		ret = -EPROTO;
	if (!ret && bpf_map_lookup_elem(map, &zero, &read))
		ret = -errno;
	close(map);
	if (!ret)
		*entry = read;
	return ret;
}

void root_lock_wake(int root)
{
	if (pin_dir_make(root, ROOT_WAKE) >= 0)
		pin_dir_unmake(root, ROOT_WAKE);
}

/* ------------------------------------------------------------------ removal */

static int root_is_attachment(void *ctx, int root, const char *name)
{
	struct reuseport_key key;

	(void)ctx;
	(void)root;
	return !pins_parse(name, &key);
}

int root_has_attachments(int root)
{
	return pin_dir_for_each(root, root_is_attachment, NULL);
}

static bool root_is_of_service(int root)
{
	struct keeper_entry keeper;

	return !root_lock_read_keeper(root, &keeper) && keeper.kind == KEEPER_SERVICE &&
	       root_lock_is_held(root);
}

void root_tidy_hooks(int root)
{
	if (!root_is_of_service(root))
		hooks_remove_unused(root);
}

void root_tidy(int root)
{
	if (root_is_of_service(root))
		return;
	hooks_remove_unused(root);
	if (root_has_attachments(root))
		return;
	/* If an attachment was made meanwhile, the keeper pins it again. */
	unlinkat(root, ROOT_KEEPER, 0);
	pin_dir_unmake(root, ROOT_SUCCESSOR);
	unlinkat(root, "../" PINS_ROOT, AT_REMOVEDIR);
}

void root_tidy_after_keeper(int root)
{
	if (root_has_attachments(root))
		return;
	hooks_remove_unused(root);
	unlinkat(root, ROOT_KEEPER, 0);
	unlinkat(root, "../" PINS_ROOT, AT_REMOVEDIR);
}

void root_tidy_above(int dir)
{
	int root;

	/* Nothing but the last attachment was in it. That needs no descriptor, of which there may
	 * be none. */
	if (!unlinkat(dir, "../../" PINS_ROOT, AT_REMOVEDIR) || errno != ENOTEMPTY)
		return;
	root = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return;
	root_tidy(root);
	close(root);
}
