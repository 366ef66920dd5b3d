// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Packet list: the packets of a simulation, and a count of those skipped. */
#include <errno.h>
#include <stdlib.h>

#include "simulate/packet_list.h"

int packet_list_add(struct packet_list *list, const struct reuseport_tuple *tuple, int proto)
{
	if ((list->proto && proto && proto != list->proto) ||
	    (list->port && tuple->dst_port != list->port)) {
		list->other_target++;
		return 0;
	}
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 1024;
		struct reuseport_tuple *grown = realloc(list->tuples, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->tuples = grown;
		list->room = room;
	}
	list->tuples[list->n++] = *tuple;
	return 0;
}

void packet_list_free(struct packet_list *list)
{
	free(list->tuples);
}
