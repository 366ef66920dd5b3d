// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Split flows: warn that a policy sends the datagrams of one UDP flow to several workers. */
#include <netinet/in.h>
#include <string.h>

#include "message.h"
#include "split_flows.h"

static bool decides_by_packet(const char *policy)
{
	return !strcmp(policy, "random") || !strcmp(policy, "round-robin") ||
	       !strcmp(policy, "least-queue");
}

void split_flows_warn(const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	const char *policy = NULL;

	if (reuseport_get_status(filter, &list, NULL))
		return;
	for (size_t i = 0; !policy && (status = reuseport_status_list__get(list, i)); i++)
		if (status->key->proto == IPPROTO_UDP && !status->damaged && !status->flows &&
		    decides_by_packet(status->policy->policy))
			policy = status->policy->policy;
	if (policy)
		message("warning: %s chooses for each datagram: those of one UDP flow go to several "
			"workers; if the server keeps anything for a flow, attach with --sticky",
			policy);
	reuseport_status_list__free(list);
}
