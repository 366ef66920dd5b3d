/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Format: keys and addresses as text, and text as valid UTF-8. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <reuseport_bpf.h>

#define FORMAT_ENDPOINT_MAX 80

const char *format_proto(int proto);   /* "tcp" */
const char *format_family(int family); /* "inet6" */

/* Write the key's address: "0.0.0.0" or "2001:db8::1". */
void format_addr(const struct reuseport_key *key, char *text, size_t size);

/* Write the key's local endpoint: "0.0.0.0:8080", "[::]:8080", or "[fe80::1%2]:8080"
 * for a group bound to the device with index 2. */
void format_endpoint(const struct reuseport_key *key, char text[FORMAT_ENDPOINT_MAX]);

/* Replace each byte that is not valid UTF-8 by '?', in place: JSON allows no
 * other text. Return the text. */
char *format_utf8(char *text);

#endif
