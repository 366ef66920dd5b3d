// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_device(): return the index of a network device in a namespace. */
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>

#include "error.h"
#include "host/netns.h"

/* Return the index that the text is, if there is such a device, or 0. */
static unsigned int device_of_number(const char *text)
{
	char name[IF_NAMESIZE], *end;
	unsigned long index = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || index > INT32_MAX)
		return 0;
	return if_indextoname(index, name) ? index : 0;
}

int reuseport_device(uint64_t netns, const char *name, uint32_t *ifindex,
		     struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = netns };
	struct netns_visit visit;
	unsigned int found;
	int ret = name && ifindex ? netns_enter(&ns, &visit, err) :
				    fail(err, EINVAL, "a name or a place for the index is missing");

	if (ret)
		return ret;
	found = if_nametoindex(name);
	if (!found)
		found = device_of_number(name);
	netns_leave(&visit);
	if (!found)
		return fail(err, ENODEV, "no network device is named '%.16s'", name);
	*ifindex = found;
	return 0;
}
