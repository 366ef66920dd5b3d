// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Format: keys and addresses as text, and text as valid UTF-8. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "format.h"

const char *format_proto(int proto)
{
	return proto == IPPROTO_UDP ? "udp" : "tcp";
}

const char *format_family(int family)
{
	return family == AF_INET6 ? "inet6" : "inet";
}

void format_addr(const struct reuseport_key *key, char *text, size_t size)
{
	if (!inet_ntop(key->family, key->addr, text, size))
		snprintf(text, size, "?");
}

void format_endpoint(const struct reuseport_key *key, char text[FORMAT_ENDPOINT_MAX])
{
	char addr[INET6_ADDRSTRLEN], device[16] = "";
	bool v6 = key->family == AF_INET6;

	format_addr(key, addr, sizeof(addr));
	if (key->ifindex)
		snprintf(device, sizeof(device), "%%%u", key->ifindex);
	snprintf(text, FORMAT_ENDPOINT_MAX, "%s%s%s%s:%u", v6 ? "[" : "", addr, device,
		 v6 ? "]" : "", key->port);
}

/* Return the length of the UTF-8 sequence at text, or 0 if it is not one (RFC 3629,
 * section 4). */
static size_t utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		size_t len;
		unsigned long least;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		unsigned long code = text[0] & ~forms[i].mask & 0xff;
		size_t len = 1;

		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		while (len < forms[i].len && (text[len] & 0xc0) == 0x80)
			code = code << 6 | (text[len++] & 0x3f);
		return len == forms[i].len && code >= forms[i].least && code <= 0x10ffff &&
				       (code < 0xd800 || code > 0xdfff) ?
			       len :
			       0;
	}
	return 0;
}

char *format_utf8(char *text)
{
	for (char *at = text; *at;) {
		size_t len = utf8_length((const unsigned char *)at);

		if (!len)
			*at = '?';
		at += len ? len : 1;
	}
	return text;
}
