/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policy info: the group that is meant, its policy and the policy's options. */
#ifndef CLI_SHOW_POLICY_INFO_H
#define CLI_SHOW_POLICY_INFO_H

#include <reuseport_bpf.h>

struct json_t;

/* Print the namespace of the key, after another text; nothing if it is the caller's own. */
void show_netns(const struct reuseport_key *key, const char *netns_name, const char *before);

/* Print "tcp 0.0.0.0:8080", and the namespace if it is not the caller's own. uid: print that
 * of the group, if it is known. */
void show_policy_group(const struct reuseport_key *key, const char *netns_name, bool uid);

/* Print " weighted over consistent, key src". */
void show_policy_info(const struct reuseport_policy_info *info);

/* Print one line: "tcp 0.0.0.0:8080  policy consistent, key src". */
void show_policy_line(const struct reuseport_group_policy *group, bool uid);

struct json_t *show_policy_json(const struct reuseport_policy_info *info);

#endif
