/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the parts of the command simulate share. */
#ifndef CLI_SIMULATE_SIMULATE_H
#define CLI_SIMULATE_SIMULATE_H

#include "options.h"

#define SLOT_MAX 32767

#define SIMULATE_OWN 13
extern const struct option_entry simulate_own[SIMULATE_OWN];

/* Whether the options go together; says what does not. */
bool simulate_check(const struct options *options);

/* Who gets the packets: as the options say, or as an attachment has it. */
struct scene {
	struct reuseport_simulated_worker *workers;
	size_t n;
	struct reuseport_policy_opts rules; /* policy NULL: all of them */
	unsigned int slots, table;          /* 0: not given */
	struct reuseport_status *status;    /* of the attachment, or NULL */
	size_t n_status;
};

/* An exit status, with a message; EXIT_DONE is success. */
int scene_make(struct scene *scene, const struct options *options);
void scene_free(struct scene *scene);

/* All that is simulated: one result a policy. */
struct input;
struct results {
	const struct scene *scene;
	const struct input *input;
	unsigned long seed;
	struct reuseport_simulation **list;
	size_t n;
	bool all; /* policies side by side were asked for */
};

void show_simulation_text(const struct results *results);
void show_simulation_json(const struct results *results);

/* "join", "leave", "weight". */
const char *simulate_change_name(const struct reuseport_change *change);

#endif
