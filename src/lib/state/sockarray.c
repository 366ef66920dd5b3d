// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sockarray: which socket is in which slot of the REUSEPORT_SOCKARRAY. */
#include <bpf/bpf.h>
#include <errno.h>

#include "state/sockarray.h"

bool sockarray_holds(int sockets_map, unsigned int slot, uint64_t cookie)
{
	uint64_t found = 0;

	return !bpf_map_lookup_elem(sockets_map, &slot, &found) && found == cookie;
}

bool sockarray_is_empty(int sockets_map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	uint64_t found;

	if (bpf_obj_get_info_by_fd(sockets_map, &info, &len))
		return false;
	for (__u32 slot = 0; slot < info.max_entries; slot++)
		if (!bpf_map_lookup_elem(sockets_map, &slot, &found) || errno != ENOENT)
			return false;
	return true;
}

void sockarray_empty(int sockets_map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(sockets_map, &info, &len))
		return;
	for (__u32 slot = 0; slot < info.max_entries; slot++)
		bpf_map_delete_elem(sockets_map, &slot);
}
