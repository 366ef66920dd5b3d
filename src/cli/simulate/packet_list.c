// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Packet list: the packets of a simulation, and a count of those skipped. */
#include "simulate/packet_list.h"

int packet_list_add(struct packet_list *list, const struct reuseport_tuple *tuple, int proto)
{
	if ((list->proto && proto && proto != list->proto) ||
	    (list->port && tuple->dst_port != list->port)) {
		list->other_target++;
		return 0;
	}
	return reuseport_tuple_list__add(list->tuples, tuple, NULL);
}

void packet_list_free(struct packet_list *list)
{
	reuseport_tuple_list__free(list->tuples);
}
