/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Bounds: the ranges and defaults of option values that the public header does not have. */
#ifndef CLI_BOUNDS_H
#define CLI_BOUNDS_H

#include <reuseport_bpf.h>

#define PORT_MAX 65535
#define UID_LARGEST 4294967294
#define CPUS_MAX 8192
#define SLOT_MAX (REUSEPORT_SLOTS_MAX - 1)
#define FLOWS_DEFAULT 65536
#define TIMEOUT_MAX_S 86400
#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 3600000
#define INTERVAL_DEFAULT_MS 1000
#define OPTION_ADDR_MAX 64 /* an address as text */
#define OPTION_NAME_MAX 24 /* a device's name or index */

/* Of the command simulate. */
#define PACKETS_MAX 10000000
#define PACKETS_DEFAULT 100000
#define WORKERS_DEFAULT 4
#define CHANGES_MAX 8
#define SEED_MAX 9223372036854775807UL
#define SEED_DEFAULT 1

/* A bound as a string literal: BOUND_TEXT(FLOWS_DEFAULT) is "65536". */
#define BOUND_TEXT(bound) BOUND_TEXT_(bound)
#define BOUND_TEXT_(bound) #bound

#endif
