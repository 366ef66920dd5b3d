/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Places alike: warn that a policy by CPU or node makes no difference. */
#ifndef CLI_PLACES_ALIKE_H
#define CLI_PLACES_ALIKE_H

#include <reuseport_bpf.h>

/* Return whether the policy, NULL: none, goes by CPU or node. */
bool places_alike_can_be(const char *policy);

/* Warn of each group of the list for which several workers are chosen alike on every CPU. */
void places_alike_warn(const struct reuseport_status_list *list);

#endif
