/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Split flows: warn that a policy sends the datagrams of one UDP flow to several workers. */
#ifndef CLI_SPLIT_FLOWS_H
#define CLI_SPLIT_FLOWS_H

#include <reuseport_bpf.h>

/* Return whether the policy, NULL: none, decides for each packet anew. */
bool split_flows_by(const char *policy);

/* Warn once, if a group of the list is of UDP and has such a policy without sticky flows. */
void split_flows_warn(const struct reuseport_status_list *list);

#endif
