/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach options: whether they are valid. */
#ifndef KEEPER_ATTACH_OPTS_H
#define KEEPER_ATTACH_OPTS_H

#include "reuseport_bpf.h"

/* Copy what a caller has given, or the defaults for NULL, and check it. -EINVAL, -E2BIG: as
 * reuseport_attach(). */
int attach_check_opts(const struct reuseport_attach_opts *from, struct reuseport_attach_opts *opts,
		      struct reuseport_error *err);

#endif
