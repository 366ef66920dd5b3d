/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Isolate: the helper processes in which the library looks at other processes. */
#ifndef CLI_ISOLATE_H
#define CLI_ISOLATE_H

#include "log.h"

/* Helpers at a time: four, those that were given up included, and one that stands by. */
#define ISOLATE_MAX 5
#define ISOLATE_MINOR_MAX 2 /* with so many given up, no helper for what is not needed */

/* Let the library look at other processes in helpers. Children need not be waited for from
 * then on. */
void isolate_begin(void);

/* Log what the library leaves alone there, instead of on standard error. */
void isolate_use_log(struct log *log);

#endif
