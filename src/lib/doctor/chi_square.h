/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Chi-square: whether counts differ from what is due by more than chance. Pure. */
#ifndef DOCTOR_CHI_SQUARE_H
#define DOCTOR_CHI_SQUARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chi_square {
	uint64_t events;
	double statistic;
	double limit; /* what chance exceeds once in 1,000 times */
	double worst; /* largest distance from what is due, as a part of that */
	size_t worst_index;
};

/* Test n counts, 2 or more, against shares by weight. */
void chi_square_test(const uint64_t *counts, const unsigned int *weights, size_t n,
		     struct chi_square *result);

/* Return the value that the statistic with this many degrees of freedom, 1 or more, exceeds with
 * p = 0.001. */
double chi_square_limit(size_t freedom);

#endif
