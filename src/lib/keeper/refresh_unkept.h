/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Catching up with the workers of attachments that nobody keeps. */
#ifndef KEEPER_REFRESH_UNKEPT_H
#define KEEPER_REFRESH_UNKEPT_H

#include "reuseport_bpf.h"

/*
 * Where no keeper runs nobody has seen who joined and left: one look is taken now,
 * as its keeper for that moment. Failures are let be: what follows then goes by
 * what is known.
 */
void refresh_unkept(const struct reuseport_filter *filter);

#endif
