/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Own programs: what this toolkit has pinned in this bpffs, to tell its programs from others. */
#ifndef API_OWN_PROGRAMS_H
#define API_OWN_PROGRAMS_H

#include "sockets/group_key.h"
#include "sockets/group_members.h"

/* What is pinned for one group. */
struct own_program {
	struct reuseport_key key;
	char pin[REUSEPORT_PATH_MAX];
	uint32_t program_id;      /* 0: the program's pin is missing */
	bool counted;             /* the next is known */
	unsigned int may_get_new; /* workers that may get new work */
};

struct own_programs {
	struct own_program *list;
	size_t n;
	int refused;                /* -errno: the pins are not visible to this process */
	struct reuseport_error why; /* of that */
};

/*
 * Read them. count: and how many workers of each may get new work. Where no bpffs is in sight, or
 * another user's directory, nothing is pinned here. Return 0 or -errno. Free in any case.
 */
int own_programs_read(struct own_programs *own, bool count, struct reuseport_error *err);
void own_programs_free(struct own_programs *own);

/* Find out whether the program is pinned here. Its name does not tell: another bpffs may have it
 * pinned, that of a container. Return 1, 0 or -errno. */
int own_programs_have(const struct own_programs *own, const struct group_program *program,
		      struct reuseport_error *err);

/* Return what is pinned for a group, NULL if nothing is. */
const struct own_program *own_programs_for(const struct own_programs *own,
					   const struct reuseport_key *key);

#endif
