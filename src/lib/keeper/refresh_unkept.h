/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Refresh attachments that have no keeper. */
#ifndef KEEPER_REFRESH_UNKEPT_H
#define KEEPER_REFRESH_UNKEPT_H

#include "reuseport_bpf.h"

/*
 * Bring selected attachments without a keeper up to date: no process has seen which workers
 * joined and left. This process keeps each for that moment. Failures are ignored: the caller
 * then uses what is known.
 */
void refresh_unkept(const struct reuseport_filter *filter);

#endif
