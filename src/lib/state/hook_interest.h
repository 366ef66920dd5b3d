/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Hook interest: whose binds are told, and to which of the places. The set of hooks is open,
 * and so locked, for each call. */
#ifndef STATE_HOOK_INTEREST_H
#define STATE_HOOK_INTEREST_H

#include "state/hooks.h"

/* Have the place told of what binds to the key. It may be told already. Return 0 or -errno. */
int hook_interest_add(const struct hooks *hooks, const struct interest *key, unsigned int place);

/* Have the place told no longer. */
int hook_interest_remove(const struct hooks *hooks, const struct interest *key, unsigned int place);

/* Do that for all keys. */
int hook_interest_remove_all(const struct hooks *hooks, unsigned int place);

#endif
