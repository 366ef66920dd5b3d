// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attachment entry: the pinned description of an attachment. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "state/attachment_entry.h"
#include "state/old_abi.h"

/*
 * The version is the first word of the value in every ABI, so it can be read
 * even where the size is another.
 */
int attachment_entry_read(const struct steering *steering, struct attachment_entry *entry,
			  uint32_t *version)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0;
	int map = steering->maps[MAP_ATTACHMENT], ret = 0;
	void *value;

	*version = 0;
	if (map < 0)
		return -EPROTO;
	if (bpf_obj_get_info_by_fd(map, &info, &len))
		return -errno;
	value = calloc(1, info.value_size + sizeof(*entry));
	if (!value)
		return -ENOMEM;
	/* Other errors are of another kind of map. */
	if (bpf_map_lookup_elem(map, &zero, value))
		ret = error_is_limit(-errno) ? -errno : -EPROTO;
	if (!ret)
		memcpy(version, value, sizeof(*version));
	if (!ret && ((*version != REUSEPORT_ABI_VERSION && !old_abi_is_known(*version)) ||
		     info.value_size != old_abi_entry_size(*version)))
		ret = -EPROTO;
	if (!ret)
		old_abi_entry(*version, value, entry);
	free(value);
	return ret;
}
