// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hook interest: whose binds are told, and to which of the places. */
#include <bpf/bpf.h>
#include <errno.h>

#include "state/hook_interest.h"

static int hook_interest_read(const struct hooks *hooks, const struct interest *key,
			      uint64_t *followers)
{
	*followers = 0;
	if (!bpf_map_lookup_elem(hooks->maps[HOOKS_INTEREST], key, followers))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

/* Without a follower the key goes. */
static int hook_interest_write(const struct hooks *hooks, const struct interest *key,
			       uint64_t followers)
{
	int map = hooks->maps[HOOKS_INTEREST];

	if (followers)
		return bpf_map_update_elem(map, key, &followers, BPF_ANY) ? -errno : 0;
	return bpf_map_delete_elem(map, key) && errno != ENOENT ? -errno : 0;
}

int hook_interest_add(const struct hooks *hooks, const struct interest *key, unsigned int place)
{
	uint64_t followers, bit = 1ULL << place;
	int ret = hook_interest_read(hooks, key, &followers);

	if (ret || followers & bit)
		return ret;
	return hook_interest_write(hooks, key, followers | bit);
}

int hook_interest_remove(const struct hooks *hooks, const struct interest *key, unsigned int place)
{
	uint64_t followers, bit = 1ULL << place;
	int ret = hook_interest_read(hooks, key, &followers);

	if (ret || !(followers & bit))
		return ret;
	return hook_interest_write(hooks, key, followers & ~bit);
}

int hook_interest_remove_all(const struct hooks *hooks, unsigned int place)
{
	int map = hooks->maps[HOOKS_INTEREST], ret = 0;
	struct interest key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	while (more && !ret) {
		key = next;
		/* Before the key goes: without it the walk would begin again. */
		more = !bpf_map_get_next_key(map, &key, &next);
		ret = hook_interest_remove(hooks, &key, place);
	}
	return ret;
}
