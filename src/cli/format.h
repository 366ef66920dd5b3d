/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Format: keys and addresses as text, and text of strangers as safe text. */
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

/* Return whether only the uid tells two groups apart. */
bool format_needs_uid(const struct reuseport_key *key, const struct reuseport_key *other);

/* Write how long something has been so, of two times in ns: "12s", "5m", "7h", "3d"; "?" if since
 * is 0 or comes after now. */
#define FORMAT_AGE_MAX 24
void format_age(uint64_t since_ns, uint64_t now_ns, char text[FORMAT_AGE_MAX]);

/*
 * Names of processes, namespaces, devices and programs, paths and arguments can have any
 * byte in them: a stranger may have chosen them. These make them safe to print. What a
 * terminal cannot show as a character of its own is written as \xNN, each byte of it:
 * control characters, invalid UTF-8, characters that are invisible or that change the
 * direction of text and, unless the locale is one of UTF-8, everything but ASCII. A
 * backslash is written as two, so that no name looks like the escape of another one.
 */

/* Bytes that format_text() needs at most for a text of this length. */
#define FORMAT_TEXT_MAX(len) (4 * (len) + 1)

/* Write as much of the text as there is room for. Return safe. */
char *format_text(const char *text, char *safe, size_t size);

/* Print the text on standard output. */
void format_print(const char *text);

/* Replace each byte that is not valid UTF-8 by '?', in place: JSON allows no
 * other text. Return the text. */
char *format_utf8(char *text);

#endif
