// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Medians, quartiles and their JSON; the clocks. */
#include "stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sort_samples(double *samples, size_t n)
{
	qsort(samples, n, sizeof(*samples), compare);
}

double quantile(const double *sorted, size_t n, double at)
{
	double position = at * (double)(n - 1);
	size_t below = (size_t)position;

	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

double median(double *samples, size_t n)
{
	sort_samples(samples, n);
	return quantile(samples, n, 0.5);
}

json_t *rounded(double value, int digits)
{
	double scale = pow(10, digits);

	return json_real(round(value * scale) / scale);
}

json_t *spread_json(double *samples, size_t n)
{
	int digits;

	sort_samples(samples, n);
	digits = samples[n - 1] < 10 ? 4 : samples[n - 1] < 10000 ? 1 : 0;
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "median",
			 rounded(quantile(samples, n, 0.5), digits), "q1",
			 rounded(quantile(samples, n, 0.25), digits), "q3",
			 rounded(quantile(samples, n, 0.75), digits), "min",
			 rounded(samples[0], digits), "max", rounded(samples[n - 1], digits));
}

uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int print_json(json_t *document)
{
	int err = document ? json_dumpf(document, stdout, JSON_REAL_PRECISION(10)) : -1;

	json_decref(document);
	if (err || puts("") < 0 || fflush(stdout))
		return -EIO;
	return 0;
}
