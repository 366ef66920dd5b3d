// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Places alike: warn that a policy by CPU or node makes no difference. */
#include <string.h>

#include "format.h"
#include "message.h"
#include "places_alike.h"

bool places_alike_can_be(const char *policy)
{
	return policy && (!strcmp(policy, "cpu") || !strcmp(policy, "numa"));
}

static void places_alike_warn_of(const struct reuseport_status *status)
{
	char endpoint[FORMAT_ENDPOINT_MAX];

	format_endpoint(status->key, endpoint);
	if (status->policy->given_cpus)
		message("warning: %s %s: policy %s makes no difference: the map has the same "
			"workers for each",
			format_proto(status->key->proto), endpoint, status->policy->policy);
	else if (!strcmp(status->policy->policy, "numa"))
		message("warning: %s %s: policy numa makes no difference: there is one node, or "
			"all workers may run on the same nodes",
			format_proto(status->key->proto), endpoint);
	else
		message("warning: %s %s: policy cpu makes no difference: all workers may run on "
			"the same CPUs; bind each to CPUs of its own, or set SO_INCOMING_CPU on "
			"its socket",
			format_proto(status->key->proto), endpoint);
}

void places_alike_warn(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++)
		if (!status->damaged && status->policy->places_alike)
			places_alike_warn_of(status);
}
