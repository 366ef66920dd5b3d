// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The name of an attachment's directory of pins. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "state/pins_name.h"

static void pins_replace_char(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

void pins_name(const struct reuseport_key *key, char *name, size_t size)
{
	char addr[INET6_ADDRSTRLEN], device[16] = "", uid[16] = "";

	group_key_addr_text(key, addr, sizeof(addr));
	pins_replace_char(addr, '.', '_'); /* bpffs refuses dots */
	if (key->ifindex)
		snprintf(device, sizeof(device), "-dev%u", key->ifindex);
	if (key->has_uid)
		snprintf(uid, sizeof(uid), "-uid%u", key->uid);
	snprintf(name, size, "%s-%s-%u-%llu%s%s%s", group_key_proto_name(key->proto), addr,
		 key->port, (unsigned long long)key->netns, device, key->v6only ? "-v6only" : "",
		 uid);
}

int pins_parse(const char *name, struct reuseport_key *key)
{
	char proto[4], addr[INET6_ADDRSTRLEN], again[REUSEPORT_PATH_MAX];
	struct reuseport_key parsed = { .sz = sizeof(parsed) };
	unsigned long long netns;
	unsigned int port;
	const char *device, *uid;

	if (sscanf(name, "%3[a-z]-%45[0-9a-f:_]-%u-%llu", proto, addr, &port, &netns) != 4)
		return -EINVAL;
	parsed.proto = !strcmp(proto, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	parsed.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	parsed.port = port;
	parsed.netns = netns;
	parsed.v6only = strstr(name, "-v6only");
	device = strstr(name, "-dev");
	if (device && sscanf(device, "-dev%u", &parsed.ifindex) != 1)
		return -EINVAL;
	uid = strstr(name, "-uid");
	parsed.has_uid = uid;
	if (uid && sscanf(uid, "-uid%u", &parsed.uid) != 1)
		return -EINVAL;
	pins_replace_char(addr, '_', '.');
	if (!port || inet_pton(parsed.family, addr, parsed.addr) != 1)
		return -EINVAL;
	pins_name(&parsed, again, sizeof(again));
	if (strcmp(name, again))
		return -EINVAL;
	*key = parsed;
	return 0;
}
