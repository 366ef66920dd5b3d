// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_get_policy(): the policies in use, with their options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "state/attachment.h"
#include "state/read_policy.h"

int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_ruled **list,
			 size_t *n, struct reuseport_error *err)
{
	struct attachment *open = NULL;
	struct reuseport_ruled *all;
	size_t count = 0;
	int ret = caps_require("read the policy", err);

	if (!ret)
		ret = attachment_open_all(filter, &open, &count, err);
	if (ret)
		return ret;
	all = calloc(count, sizeof(*all));
	if (!all)
		ret = fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; !ret && i < count; i++) {
		all[i].key = open[i].key;
		netns_name_of(all[i].key.netns, all[i].netns_name, sizeof(all[i].netns_name));
		read_policy(&all[i].rules, &open[i]);
	}
	attachment_close_all(open, count);
	if (ret) {
		free(all);
		return ret;
	}
	*list = all;
	*n = count;
	return 0;
}
