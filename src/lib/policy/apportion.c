// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Apportion: divide a whole number into whole shares, by weight. */
#include "policy/apportion.h"

static uint32_t count_from(const uint32_t *remainders, uint32_t n, uint32_t least)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += remainders[i] >= least;
	return count;
}

/* Return the largest value that at least "left" remainders reach. */
static uint32_t last_rounded_up(const uint32_t *remainders, uint32_t n, uint32_t left, uint32_t sum)
{
	uint32_t low = 0, high = sum;

	/* Enough remainders reach "low", too few reach "high". */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (count_from(remainders, n, middle) >= left)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void apportion(uint32_t *counts, uint32_t total, const uint32_t *weights, uint32_t n)
{
	uint32_t sum = 0, left = total, last, equals;

	for (uint32_t i = 0; i < n; i++)
		sum += weights[i];
	for (uint32_t i = 0; i < n; i++) {
		uint64_t due = (uint64_t)total * weights[i];

		/* The counts hold the remainders for now. */
		counts[i] = sum ? due % sum : 0;
		left -= sum ? due / sum : 0;
	}
	if (!sum)
		return;
	/* It is above 0 if any is left: each remainder is below 1 entry, so more than
	 * "left" of them are above 0. */
	last = last_rounded_up(counts, n, left, sum);
	equals = left - count_from(counts, n, last + 1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t up = counts[i] > last;

		if (counts[i] == last && equals) {
			up = 1;
			equals--;
		}
		counts[i] = (uint64_t)total * weights[i] / sum + up;
	}
}
