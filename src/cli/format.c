// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Format: keys and addresses as text, and text of strangers as safe text. */
#include <arpa/inet.h>
#include <langinfo.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

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

void format_age(uint64_t since_ns, uint64_t now_ns, char text[FORMAT_AGE_MAX])
{
	/* From two of a unit on: 119s, 2m. */
	static const struct {
		unsigned int seconds;
		char name;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	uint64_t seconds = (now_ns - since_ns) / 1000000000;

	if (!since_ns || since_ns > now_ns) {
		strcpy(text, "?");
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (seconds >= 2 * units[i].seconds) {
			snprintf(text, FORMAT_AGE_MAX, "%llu%c",
				 (unsigned long long)(seconds / units[i].seconds), units[i].name);
			return;
		}
	snprintf(text, FORMAT_AGE_MAX, "%llus", (unsigned long long)seconds);
}

bool format_needs_uid(const struct reuseport_key *key, const struct reuseport_key *other)
{
	return key->proto == other->proto && key->family == other->family &&
	       key->port == other->port && key->ifindex == other->ifindex &&
	       key->v6only == other->v6only && key->netns == other->netns &&
	       !memcmp(key->addr, other->addr, sizeof(key->addr)) && key->has_uid &&
	       other->has_uid && key->uid != other->uid;
}

/* ---------------------------------------------------------- text of strangers */

/* Return the length of the UTF-8 sequence at text and its code point, or 0 if it is
 * not one (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *text, unsigned long *code)
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
		size_t len = 1;

		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		*code = text[0] & ~forms[i].mask & 0xff;
		while (len < forms[i].len && (text[len] & 0xc0) == 0x80)
			*code = *code << 6 | (text[len++] & 0x3f);
		return len == forms[i].len && *code >= forms[i].least && *code <= 0x10ffff &&
				       (*code < 0xd800 || *code > 0xdfff) ?
			       len :
			       0;
	}
	return 0;
}

char *format_utf8(char *text)
{
	unsigned long code;

	for (char *at = text; *at;) {
		size_t len = utf8_length((const unsigned char *)at, &code);

		if (!len)
			*at = '?';
		at += len ? len : 1;
	}
	return text;
}

/* Return whether the character is invisible, or changes the direction of text, although
 * some C libraries give it a width. These are Unicode's default ignorable code points,
 * line separators and interlinear annotations. */
static bool is_invisible(unsigned long code)
{
	static const struct {
		unsigned long first, last;
	} ranges[] = {
		{ 0x00ad, 0x00ad },   { 0x034f, 0x034f },   { 0x061c, 0x061c },
		{ 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* Return whether a terminal shows the character, and on columns of its own. */
static bool is_shown(unsigned long code)
{
	if (code < 0x80)
		return code >= 0x20 && code < 0x7f;
	return code >= 0xa0 && !strcmp(nl_langinfo(CODESET), "UTF-8") && !is_invisible(code) &&
	       wcwidth((wchar_t)code) > 0;
}

#define ESCAPED_MAX 5 /* of one character, with its end */

/* Write the first character of the text, or its first byte as \xNN. Return how many bytes
 * of the text that is. */
static size_t escape_first(const char *text, char escaped[ESCAPED_MAX])
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned long code;
	size_t len = utf8_length(bytes, &code);

	if (*text == '\\') {
		strcpy(escaped, "\\\\");
		return 1;
	}
	if (!len || !is_shown(code)) {
		snprintf(escaped, ESCAPED_MAX, "\\x%02x", *bytes);
		return 1;
	}
	memcpy(escaped, text, len);
	escaped[len] = '\0';
	return len;
}

char *format_text(const char *text, char *safe, size_t size)
{
	char escaped[ESCAPED_MAX];
	size_t len = 0;

	while (*text) {
		text += escape_first(text, escaped);
		if (len + strlen(escaped) >= size)
			break;
		strcpy(safe + len, escaped);
		len += strlen(escaped);
	}
	safe[len] = '\0';
	return safe;
}

void format_print(const char *text)
{
	char escaped[ESCAPED_MAX];

	while (*text) {
		text += escape_first(text, escaped);
		fputs(escaped, stdout);
	}
}
