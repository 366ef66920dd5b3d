/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Parse: numbers and endpoints that a user writes. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"

/* Return whether the text has digits only, and some. */
bool parse_is_digits(const char *text);

/* Return whether the whole text is a decimal number from min to max. */
bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *value);

/* Return whether the whole text is a decimal number of seconds, which may have a fraction of up to
 * three digits, from min to max milliseconds. */
bool parse_seconds(const char *text, unsigned long min_ms, unsigned long max_ms, unsigned long *ms);

/* Split "fe80::1%eth0" into an address, which is not checked, and a device, "" without one. Return
 * whether that is possible. */
bool parse_scoped(const char *text, char address[OPTION_ADDR_MAX], char dev[OPTION_NAME_MAX]);

/* Return whether the text is "192.0.2.1:80" or "[2001:db8::1]:80", with a port from
 * 0 to 65535. An IPv4 address takes the first four bytes of addr; the rest is 0. The address may
 * have a device, as in "[fe80::1%eth0]:80", unless dev is NULL. */
bool parse_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port,
		    char dev[OPTION_NAME_MAX]);

#endif
