// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parse: numbers and endpoints that a user writes. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	*value = strtoul(text, NULL, 10);
	return !errno && *value >= min && *value <= max;
}

bool parse_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	bool v6 = *text == '[';
	unsigned long number;
	size_t len;

	if (!colon || !parse_number(colon + 1, 0, 65535, &number))
		return false;
	if (v6 && (colon == text + 1 || colon[-1] != ']'))
		return false;
	len = v6 ? colon - text - 2 : colon - text;
	if (len >= sizeof(host))
		return false;
	memcpy(host, text + v6, len);
	host[len] = '\0';
	*family = v6 ? AF_INET6 : AF_INET;
	*port = number;
	memset(addr, 0, 16);
	return inet_pton(*family, host, addr) == 1;
}
