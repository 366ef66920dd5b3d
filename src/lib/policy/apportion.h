/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Apportion: whole shares of a whole, by weight. */
#ifndef POLICY_APPORTION_H
#define POLICY_APPORTION_H

#include <stdint.h>

/*
 * Hamilton's method of the largest remainders: each gets its due rounded down,
 * and what is left goes by one to those whose due was cut most; of equals, the
 * first. The counts add up to "total", up to 2^20; without any weight they are
 * 0. At most 32768 weights, up to 1000 each.
 */
void apportion(uint32_t *counts, uint32_t total, const uint32_t *weights, uint32_t n);

#endif
