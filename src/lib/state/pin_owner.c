// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pin owner: whose pins a directory has, and which directory is whose. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "sockets/sock_diag.h"
#include "state/attachment_entry.h"
#include "state/pin_owner.h"

/* Learn the uid of the sockets in the array, if they agree. */
static int pin_owner_learn_uid(const struct steering *steering, unsigned int slots,
			       struct reuseport_key *key, struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = key->netns, .cookie = key->netns_cookie };
	const struct sock_diag_socket *socket;
	struct sock_diag_list members;
	bool agree = true;
	uint64_t cookie;
	int ret = sock_diag_members(key, &ns, &members, err);

	if (ret)
		return error_is_limit(ret) ? ret : 0;
	for (unsigned int slot = 0; agree && slot < slots; slot++) {
		if (bpf_map_lookup_elem(steering->maps[MAP_SOCKETS], &slot, &cookie))
			continue;
		socket = sock_diag_find(&members, cookie);
		if (!socket)
			continue;
		agree = !key->has_uid || key->uid == socket->key.uid;
		key->has_uid = true;
		key->uid = socket->key.uid;
	}
	key->has_uid &= agree;
	free(members.sockets);
	return 0;
}

int pin_owner_read(int dir, const char *path, const struct reuseport_key *named,
		   struct reuseport_key *key, struct reuseport_error *err)
{
	struct attachment_entry entry;
	struct steering steering;
	uint32_t version;
	int ret = steering_open(&steering, dir);

	*key = *named;
	if (!ret || ret == -ENOENT)
		ret = attachment_entry_read(&steering, &entry, &version);
	if (ret && ret != -EPROTO) {
		steering_close(&steering);
		return fail(err, -ret, "cannot open the pins in %s: %s", path, strerror(-ret));
	}
	if (!ret) {
		key->netns_cookie = entry.netns_cookie;
		if (entry.uid_plus_1) {
			key->has_uid = true;
			key->uid = entry.uid_plus_1 - 1;
		} else if (!key->has_uid && steering_fits(&steering, &entry)) {
			ret = pin_owner_learn_uid(&steering, entry.slots, key, err);
		}
	}
	steering_close(&steering);
	return ret == -EPROTO ? 0 : ret;
}

/* Open the directory of a group, and write its name, also if it is not there. */
static int pin_owner_find(const struct reuseport_key *key, char name[PINS_NAME_MAX], char *path,
			  size_t size, struct reuseport_error *err)
{
	struct reuseport_key plain = *key, owner;
	int dir, ret;

	pins_name(key, name, PINS_NAME_MAX);
	dir = pins_open(name, path, size, err);
	/* Most have none with the uid. */
	if (dir != -ENOENT || !key->has_uid)
		return dir;
	plain.has_uid = false;
	pins_name(&plain, name, PINS_NAME_MAX);
	dir = pins_open(name, path, size, err);
	if (dir < 0)
		return dir;
	ret = pin_owner_read(dir, path, &plain, &owner, err);
	if (!ret && (!owner.has_uid || owner.uid == key->uid))
		return dir;
	close(dir);
	pins_name(key, name, PINS_NAME_MAX);
	return ret ? ret : -ENOENT;
}

int pin_owner_name(const struct reuseport_key *key, char name[PINS_NAME_MAX],
		   struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pin_owner_find(key, name, path, sizeof(path), err);

	if (dir >= 0)
		close(dir);
	return dir >= 0 || dir == -ENOENT ? 0 : dir;
}

int pin_owner_open(const struct reuseport_key *key, char *path, size_t size,
		   struct reuseport_error *err)
{
	char name[PINS_NAME_MAX];

	return pin_owner_find(key, name, path, size, err);
}
