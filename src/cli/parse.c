// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parse: numbers and endpoints that a user writes. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

bool parse_is_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	if (!parse_is_digits(text))
		return false;
	errno = 0;
	*value = strtoul(text, NULL, 10);
	return !errno && *value >= min && *value <= max;
}

bool parse_seconds(const char *text, unsigned long min_ms, unsigned long max_ms, unsigned long *ms)
{
	size_t whole = strspn(text, "0123456789"), fraction = 0, end = whole;
	unsigned long part = 0;

	if (text[whole] == '.') {
		fraction = strspn(text + whole + 1, "0123456789");
		end = whole + 1 + fraction;
	}
	/* More digits are more seconds than there is an option for. */
	if (!whole || whole > 9 || text[end] || end == whole + 1 || fraction > 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		part = part * 10 + (i < fraction ? text[whole + 1 + i] - '0' : 0);
	*ms = strtoul(text, NULL, 10) * 1000 + part;
	return *ms >= min_ms && *ms <= max_ms;
}

bool parse_scoped(const char *text, char address[OPTION_ADDR_MAX], char dev[OPTION_NAME_MAX])
{
	size_t len = strcspn(text, "%");
	const char *device = text[len] ? text + len + 1 : "";

	if (len >= OPTION_ADDR_MAX || strlen(device) >= OPTION_NAME_MAX ||
	    (text[len] && (!*device || strpbrk(device, "%/ \t"))))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	strcpy(dev, device);
	return true;
}

bool parse_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port,
		    char dev[OPTION_NAME_MAX])
{
	char host[OPTION_ADDR_MAX + OPTION_NAME_MAX], address[OPTION_ADDR_MAX],
		device[OPTION_NAME_MAX];
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
	if (!parse_scoped(host, address, device) || (*device && !dev))
		return false;
	if (dev)
		strcpy(dev, device);
	*family = v6 ? AF_INET6 : AF_INET;
	*port = number;
	memset(addr, 0, 16);
	return inet_pton(*family, address, addr) == 1;
}
