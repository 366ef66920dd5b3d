/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Refresh attachments that have no keeper. */
#ifndef KEEPER_REFRESH_UNKEPT_H
#define KEEPER_REFRESH_UNKEPT_H

#include "reuseport_bpf.h"

/*
 * Bring selected attachments without a keeper up to date: no process has seen which workers
 * joined and left. This process keeps each for that moment. Fail where that cannot be done,
 * unless the attachment has a keeper by then, or is detached, or is damaged: that is for the
 * caller to find.
 */
int refresh_unkept(const struct reuseport_filter *filter, struct reuseport_error *err);

#endif
