/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The two printers of status: for people and for programs. */
#ifndef CLI_SHOW_STATUS_H
#define CLI_SHOW_STATUS_H

#include <reuseport_bpf.h>

void show_status_text(const struct reuseport_status *list, size_t n);
/* Mends names that are no UTF-8. */
void show_status_json(struct reuseport_status *list, size_t n);

/* " weighted over consistent, key src": the policy and what goes with it. */
void show_rules(const struct reuseport_rules *rules);
struct json_t *rules_json(const struct reuseport_rules *rules);

/* One line: "tcp 0.0.0.0:8080  policy consistent, key src". */
void show_policy(const struct reuseport_ruled *ruled);

#endif
