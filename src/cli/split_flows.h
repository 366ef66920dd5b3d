/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Split flows: warn that a policy sends the datagrams of one UDP flow to several workers. */
#ifndef CLI_SPLIT_FLOWS_H
#define CLI_SPLIT_FLOWS_H

#include <reuseport_bpf.h>

/* Warn once, if a UDP group that the filter selects has such a policy without sticky flows. */
void split_flows_warn(const struct reuseport_filter *filter);

#endif
