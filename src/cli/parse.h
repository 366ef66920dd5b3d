/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Parse: numbers and endpoints that a user writes. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Return whether the whole text is a decimal number from min to max. */
bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *value);

/* Return whether the text is "192.0.2.1:80" or "[2001:db8::1]:80", with a port from
 * 0 to 65535. An IPv4 address takes the first four bytes of addr; the rest is 0. */
bool parse_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port);

#endif
