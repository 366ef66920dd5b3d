/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Checks: each looks for one kind of fault, and adds findings. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "doctor/scene.h"

/* Of an attachment. But for the first, only of those whose pins are whole. */
void check_program(struct scene *scene, const struct reuseport_status *status);
void check_keeper(struct scene *scene, const struct reuseport_status *status);
void check_members(struct scene *scene, const struct reuseport_status *status);
void check_eligible(struct scene *scene, const struct reuseport_status *status);
void check_shadow(struct scene *scene, const struct reuseport_status *status);
void check_strangers(struct scene *scene, const struct reuseport_status *status);
void check_polled(struct scene *scene, const struct reuseport_status *status);
void check_queue(struct scene *scene, const struct reuseport_status *status);
void check_standing(struct scene *scene, const struct reuseport_status *status);
void check_weights(struct scene *scene, const struct reuseport_status *status);
void check_affinity(struct scene *scene, const struct reuseport_status *status);
void check_incoming_cpu(struct scene *scene, const struct reuseport_status *status);
void check_redirect(struct scene *scene, const struct reuseport_status *status);
void check_limits(struct scene *scene, const struct reuseport_status *status);
/* These may need a second look, later. */
void check_registered(struct scene *scene, const struct reuseport_status *status);
void check_hung(struct scene *scene, const struct reuseport_status *status);
void check_balance(struct scene *scene, const struct reuseport_status *status);

/* Of a group that has no program of this toolkit that is pinned here. */
void check_plain_group(struct scene *scene, const struct reuseport_group_info *group);

/* Of the host, and of the port that is asked for. */
void check_bpffs(struct scene *scene);
void check_features(struct scene *scene);
void check_reuseaddr(struct scene *scene);

#endif
