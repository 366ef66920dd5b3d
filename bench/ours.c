// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Our steering, set up by the library's own calls: maps, workers, policy. */
#include "ours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/topology.h"
#include "policy/limits.h"
#include "state/ages.h"
#include "state/apply_policy.h"
#include "state/steering_load.h"

struct steering_size ours__size(unsigned int workers)
{
	return (struct steering_size){ .slots = limits_slots_for(workers),
				       .table_entries = limits_table_for(workers),
				       .cpus = topology_cpus() };
}

int ours__load(struct ours *ours, const struct steering_size *size, int proto, bool probe_reads)
{
	struct features *features = NULL;
	struct reuseport_error err;
	int ret = features_new(&features, &err);

	*ours = (struct ours){
		.at = { .text = "the group", .steering = STEERING_NONE, .view = MAP_VIEW_NONE }
	};
	if (!ret && probe_reads)
		features_disable(features, FEATURE_PLAIN_READS);
	if (!ret)
		ret = steering_load(&ours->at.steering, size, proto, features, &err);
	features_free(features);
	if (ret) {
		fprintf(stderr, "bench: %s\n", err.text);
		return ret;
	}
	ret = map_view_open(&ours->at.view, &ours->at.steering, size);
	if (ret)
		fprintf(stderr, "bench: mapping the maps: %s\n", strerror(-ret));
	return ret;
}

void ours__free(struct ours *ours)
{
	attachment_close(&ours->at);
}

int ours__describe(struct ours *ours, const int *sockets, size_t n)
{
	for (size_t slot = 0; slot < n; slot++) {
		struct worker_entry *entry = &ours->at.view.workers[slot];
		socklen_t len = sizeof(entry->cookie);
		uint64_t cookie;

		if (getsockopt(sockets[slot], SOL_SOCKET, SO_COOKIE, &cookie, &len)) {
			perror("bench: SO_COOKIE");
			return -errno;
		}
		*entry = (struct worker_entry){
			.cookie = cookie, .pid = getpid(), .state = WORKER_ACTIVE, .weight = 1
		};
	}
	return 0;
}

static unsigned int weight_of(enum weights weights, size_t slot, size_t workers)
{
	if (weights == WEIGHTS_UNEQUAL)
		return 1 + slot % 4;
	return weights == WEIGHTS_ONE_ZERO && slot == workers - 1 ? 0 : 1;
}

int ours__set_policy(struct ours *ours, const struct reuseport_policy_opts *words,
		     enum weights weights, size_t workers)
{
	struct control *control = ours->at.view.control;
	struct reuseport_error err;
	int ret;

	for (size_t slot = 0; slot < workers; slot++)
		ours->at.view.workers[slot].weight = weight_of(weights, slot, workers);
	ours->at.view.asked[workers - 1].what = weights == WEIGHTS_ONE_ASKED;
	control->asked = weights == WEIGHTS_ONE_ASKED;
	ages_of_group(&ours->at.view, AGE_SETTLED)->since_ns = control->epoch;
	ret = apply_policy(&ours->at, words, NULL, &err);
	if (ret < 0)
		fprintf(stderr, "bench: %s\n", err.text);
	return ret < 0 ? ret : 0;
}
