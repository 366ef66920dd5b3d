// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Split flows: warn that a policy sends the datagrams of one UDP flow to several workers. */
#include <netinet/in.h>
#include <string.h>

#include "message.h"
#include "split_flows.h"

bool split_flows_by(const char *policy)
{
	return policy && (!strcmp(policy, "random") || !strcmp(policy, "round-robin") ||
			  !strcmp(policy, "least-queue"));
}

void split_flows_warn(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		if (status->key->proto != IPPROTO_UDP || status->damaged || status->flows ||
		    !split_flows_by(status->policy->policy))
			continue;
		message("warning: %s chooses for each datagram: those of one UDP flow go to several "
			"workers; if the server keeps anything for a flow, attach with --sticky",
			status->policy->policy);
		return;
	}
}
