// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pin owner: whose pins a directory has, and which directory is whose. */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "sockets/sock_diag.h"
#include "state/attachment_entry.h"
#include "state/pin_owner.h"

/* Learn the uid of the sockets in the array. */
static void pin_owner_learn_uid(const struct steering *steering, unsigned int slots,
				struct reuseport_key *key)
{
	struct netns_ref ns = { .inode = key->netns, .cookie = key->netns_cookie };
	const struct sock_diag_socket *socket;
	struct sock_diag_list members;
	bool agree = true;
	uint64_t cookie;

	if (sock_diag_members(key, &ns, &members, NULL))
		return;
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
}

void pin_owner_read(const char *path, const struct reuseport_key *named, struct reuseport_key *key)
{
	struct attachment_entry entry;
	struct steering steering;
	uint32_t version;

	*key = *named;
	steering_open(&steering, path);
	if (!attachment_entry_read(&steering, &entry, &version)) {
		key->netns_cookie = entry.netns_cookie;
		if (entry.uid_plus_1) {
			key->has_uid = true;
			key->uid = entry.uid_plus_1 - 1;
		} else if (!key->has_uid) {
			pin_owner_learn_uid(&steering, entry.slots, key);
		}
	}
	steering_close(&steering);
}

/* Return whether the directory is known to be of another uid. */
static bool pin_owner_is_other(const char *path, const struct reuseport_key *plain, uint32_t uid)
{
	struct reuseport_key key;

	if (access(path, F_OK))
		return false;
	pin_owner_read(path, plain, &key);
	return key.has_uid && key.uid != uid;
}

int pin_owner_path(const struct reuseport_key *key, bool mount, char *path, size_t size,
		   struct reuseport_error *err)
{
	struct reuseport_key plain = *key;
	int ret;

	/* Most have none with the uid. */
	ret = pins_path(key, mount, path, size, err);
	if (ret || !key->has_uid || !access(path, F_OK))
		return ret;
	plain.has_uid = false;
	ret = pins_path(&plain, mount, path, size, err);
	if (!ret && pin_owner_is_other(path, &plain, key->uid))
		ret = pins_path(key, mount, path, size, err);
	return ret;
}
