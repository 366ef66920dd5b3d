/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Scene: what the checks look at. Everything is read once, and what only some checks need when
 * the first of them asks for it.
 */
#ifndef DOCTOR_SCENE_H
#define DOCTOR_SCENE_H

#include "doctor/finding.h"
#include "reuseport_list.h"
#include "sockets/group_key.h"
#include "sockets/group_members.h"

struct scene {
	struct group_key_filter filter; /* the groups that are examined */
	struct reuseport_filter wide;   /* the same without addresses, devices and users: what is
					 * on the same ports */
	struct reuseport_filter narrow; /* as it was asked for */
	uint64_t begun, again;          /* CLOCK_MONOTONIC, when the status was read, and again */
	struct reuseport_status_list *status, *later;
	int pins_ret; /* -EPERM: the pins cannot be trusted, -ENODEV: they are not visible here;
		       * then there is no status */
	struct reuseport_error pins_error;
	char pins[REUSEPORT_PATH_MAX];     /* the directory that this is about */
	struct reuseport_listing *listing; /* of "wide" */
	struct group_iter *reader;         /* NULL: no iterators */
	struct scene_place *places;        /* of sockets that were read */
	size_t n_places;
	struct reuseport_finding_list *findings;
	struct reuseport_error *err;
	int ret; /* -errno of the first look that failed */
};

/* Read attachments and groups. Return 0 or -errno. Free with scene_close() in any case. */
int scene_open(struct scene *scene, const struct reuseport_filter *filter,
	       struct reuseport_error *err);
void scene_close(struct scene *scene);

/* Return the next group of the listing, from *i on, and set *i behind it; NULL at the end. */
const struct reuseport_listed *scene_next_group(const struct scene *scene, size_t *i);

/* Return the group of a key, or NULL. */
const struct reuseport_listed *scene_group_of(const struct scene *scene,
					      const struct reuseport_key *key);

/* Return the sockets on the port of a key (.on_port), and the members of all groups of its
 * namespace and protocol (.kernel), both sorted by cookie; NULL if they cannot be read. */
const struct group_members *scene_sockets(struct scene *scene, const struct reuseport_key *key);

/* Read the status again, once "ms" have gone by since the first time. Return false if that
 * fails. What was returned for a smaller "ms" is not valid any more. */
bool scene_look_again(struct scene *scene, unsigned int ms);

/* Return the milliseconds since the first time. */
unsigned int scene_elapsed_ms(const struct scene *scene);

/* Return an attachment as scene_look_again() has read it; NULL if it is gone or damaged. */
const struct reuseport_status *scene_later(const struct scene *scene,
					   const struct reuseport_status *status);

/* Return the worker with that cookie, or NULL. */
const struct reuseport_worker *scene_worker(const struct reuseport_status *status, uint64_t cookie);

/* Read a number below /proc/sys, as the namespace of the key has it. Return false if it is not
 * there. */
bool scene_sysctl(const struct reuseport_key *key, const char *name, uint64_t *value);

/* Read a counter of the TcpExt group, which the namespace of the key has. Return false if it is
 * not there. */
bool scene_tcp_counter(const struct reuseport_key *key, const char *name, uint64_t *value);

/* Add a finding about an attachment. */
struct finding *scene_find(struct scene *scene, const struct reuseport_status *status,
			   const char *name, enum reuseport_severity severity);

#endif
