/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Apportion: divide a whole number into whole shares, by weight. */
#ifndef POLICY_APPORTION_H
#define POLICY_APPORTION_H

#include <stdint.h>

/*
 * Divide "total" by Hamilton's method of the largest remainders: each share is rounded
 * down, and the rest goes, one each, to the shares with the largest remainders; of
 * equals, to the first. The counts add up to "total", which is at most 2^20. If all
 * weights are 0, so are the counts. At most 32768 weights, up to 1000 each.
 */
void apportion(uint32_t *counts, uint32_t total, const uint32_t *weights, uint32_t n);

#endif
