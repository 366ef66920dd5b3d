/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Kept: whether an attachment has a keeper. */
#ifndef STATE_KEPT_H
#define STATE_KEPT_H

#include <stdbool.h>

#include "abi.h"

/* Return whether the keeper that is recorded there has ended; false where none is recorded. */
bool kept_has_ended(const struct attachment_entry *entry);

/*
 * Return whether a process keeps the attachment whose directory of pins is open: 1, 0 or
 * -errno. The caller must not hold the lock. If the recorded keeper has ended, the lock may be
 * free in a moment, and this waits for it, at most KEPT_WAIT_MS.
 */
#define KEPT_WAIT_MS 2000
int kept_by_process(int dir);

#endif
