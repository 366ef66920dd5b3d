/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Simulate options: the options that only the command simulate has. */
#ifndef CLI_SIMULATE_SIMULATE_OPTIONS_H
#define CLI_SIMULATE_SIMULATE_OPTIONS_H

#include "options.h"

#define SIMULATE_OPTIONS 13
extern const struct option_entry simulate_option_table[SIMULATE_OPTIONS];

/* Return whether the options can be combined, else print why not. */
bool simulate_options_check(const struct options *options);

/* Return whether --policy asks for all policies side by side. */
bool simulate_options_all(const struct options *options);

#endif
