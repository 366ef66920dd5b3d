/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Medians, quartiles and their JSON; the clocks. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Value below which the share "at" (0 to 1) of the n sorted samples lies. */
double quantile(const double *sorted, size_t n, double at);

/* Sorts the samples in place. */
void sort_samples(double *samples, size_t n);

/* Median of the samples, which it sorts in place. */
double median(double *samples, size_t n);

/* {"median":, "q1":, "q3":, "min":, "max":}; sorts the samples in place. */
json_t *spread_json(double *samples, size_t n);

/* Rounded, so that committed figures stay readable. */
json_t *rounded(double value, int digits);

/* A clock's time in nanoseconds. */
uint64_t now_ns(clockid_t clock);

/* Prints the document on standard output and releases it. 0 or -errno. */
int print_json(json_t *document);

#endif
