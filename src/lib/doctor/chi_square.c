// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Chi-square: whether counts differ from what is due by more than chance. */
#include "doctor/chi_square.h"

/* The quantile 0.999 of the normal distribution. */
#define NORMAL_999 3.090232

/* Newton's method: no library of mathematics for one root. */
static double square_root(double x)
{
	double root = x > 1 ? x : 1;

	for (int i = 0; i < 64; i++)
		root = (root + x / root) / 2;
	return root;
}

/* Wilson and Hilferty, 1931: for one degree of freedom 3% too much, then less. */
double chi_square_limit(size_t freedom)
{
	double part = 2.0 / (9.0 * freedom);
	double root = 1 - part + NORMAL_999 * square_root(part);

	return freedom * root * root * root;
}

void chi_square_test(const uint64_t *counts, const unsigned int *weights, size_t n,
		     struct chi_square *result)
{
	uint64_t whole = 0;

	*result = (struct chi_square){ .limit = chi_square_limit(n - 1) };
	for (size_t i = 0; i < n; i++) {
		result->events += counts[i];
		whole += weights[i];
	}
	for (size_t i = 0; i < n && whole && result->events; i++) {
		double due = (double)result->events * weights[i] / whole;
		double off = counts[i] - due, part;

		if (!weights[i])
			continue;
		part = (off < 0 ? -off : off) / due;
		result->statistic += off * off / due;
		if (part <= result->worst)
			continue;
		result->worst = part;
		result->worst_index = i;
	}
}
