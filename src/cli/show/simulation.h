/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Simulation: the results of a simulation as text and as JSON. */
#ifndef CLI_SHOW_SIMULATION_H
#define CLI_SHOW_SIMULATION_H

#include "simulate/packet_list.h"

struct simulation_results {
	const struct packet_list *packets;
	unsigned long seed;
	size_t n_workers;
	struct reuseport_simulation **list; /* one for each policy */
	size_t n;
	bool all; /* policies side by side, not one in detail */
};

void show_simulation_text(const struct simulation_results *results);

/* Return an exit status, with a message on failure. */
int show_simulation_json(const struct simulation_results *results);

#endif
