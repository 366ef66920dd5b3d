// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Words: keys and filters as a person writes and reads them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "words.h"

#define PID_MAX_LIMIT 4194304 /* of any 64-bit Linux */

const char *word_proto(int proto)
{
	return proto == IPPROTO_UDP ? "udp" : "tcp";
}

const char *word_family(int family)
{
	return family == AF_INET6 ? "inet6" : "inet";
}

void word_addr(const struct reuseport_key *key, char *text, size_t size)
{
	if (!inet_ntop(key->family, key->addr, text, size))
		snprintf(text, size, "?");
}

void word_endpoint(const struct reuseport_key *key, char *text, size_t size)
{
	char addr[INET6_ADDRSTRLEN], device[16] = "";
	bool v6 = key->family == AF_INET6;

	word_addr(key, addr, sizeof(addr));
	if (key->ifindex)
		snprintf(device, sizeof(device), "%%%u", key->ifindex);
	snprintf(text, size, "%s%s%s%s:%u", v6 ? "[" : "", addr, device, v6 ? "]" : "", key->port);
}

int word_netns(const struct options *options, uint64_t *inode)
{
	struct reuseport_error error;
	unsigned long long number;
	int ret;

	if (!options->netns)
		return 0;
	number = strtoull(options->netns, NULL, 10);
	if (strspn(options->netns, "0123456789") == strlen(options->netns) &&
	    number > PID_MAX_LIMIT) {
		*inode = number;
		return 0;
	}
	ret = reuseport_netns(options->netns, inode, &error);
	if (ret)
		fprintf(stderr, "reuseportctl: %s\n", error.text);
	return ret;
}

int word_filter(const struct options *options, struct reuseport_filter *filter)
{
	struct reuseport_error error;

	*filter = (struct reuseport_filter)REUSEPORT_INIT(
		reuseport_filter, .proto = options->proto ? options->proto : IPPROTO_TCP,
		.port = options->ports[0], .addr = options->addr);
	if (word_netns(options, &filter->netns))
		return EXIT_FAILED;
	if (!filter->netns && reuseport_netns(NULL, &filter->netns, &error))
		return word_failure(&error);
	return EXIT_DONE;
}

/* Length of the UTF-8 sequence at text, 0 if it is none (RFC 3629, section 4). */
static size_t sequence(const unsigned char *text)
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

char *word_utf8(char *text)
{
	for (char *at = text; *at;) {
		size_t len = sequence((const unsigned char *)at);

		if (!len)
			*at = '?';
		at += len ? len : 1;
	}
	return text;
}

int word_written(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: cannot write to standard output: %s\n", strerror(errno));
	return EXIT_FAILED;
}

int word_failure(const struct reuseport_error *error)
{
	fprintf(stderr, "reuseportctl: %s\n", error->text);
	return error->code == ENOENT ? EXIT_NO_MATCH : EXIT_FAILED;
}

int word_refused(const struct reuseport_error *error)
{
	int status = word_failure(error);

	return error->code == EINVAL ? EXIT_USAGE : status;
}
