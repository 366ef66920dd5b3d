// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Mend: command lines that are about one group. */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor/mend.h"

#define REST_MAX 128

/* A stranger may have chosen the name. */
static bool is_plain_name(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";

	return *name && *name != '-' && name[strspn(name, plain)] == '\0' &&
	       name[strspn(name, "0123456789")] != '\0';
}

static bool is_own_netns(uint64_t netns)
{
	uint64_t own;

	return !netns_inode_of(NETNS_OWN_PATH, &own) && own == netns;
}

/* Return whether only the user tells the group from another one. */
static bool needs_uid(const struct scene *scene, const struct reuseport_key *key)
{
	const struct reuseport_listed *listed;

	for (size_t i = 0; (listed = scene_next_group(scene, &i));)
		if (key->has_uid && group_key_same_place(listed->group->key, key) &&
		    listed->group->uid != key->uid)
			return true;
	return false;
}

static void add_netns(const struct finding *finding, char *text, size_t size)
{
	const struct reuseport_finding *about = &finding->finding;

	if (is_own_netns(about->key->netns))
		*text = '\0';
	else if (is_plain_name(about->netns_name))
		snprintf(text, size, " --netns %s", about->netns_name);
	else
		snprintf(text, size, " --netns %llu", (unsigned long long)about->key->netns);
}

void mend_command(const struct scene *scene, struct finding *finding, const char *command,
		  const char *fmt, ...)
{
	char rest[REST_MAX], netns[96], addr[64], dev[32] = "", uid[32] = "";
	va_list args;

	if (!finding)
		return;
	va_start(args, fmt);
	vsnprintf(rest, sizeof(rest), fmt, args);
	va_end(args);
	add_netns(finding, netns, sizeof(netns));
	group_key_addr_text(&finding->key, addr, sizeof(addr));
	if (finding->key.ifindex)
		snprintf(dev, sizeof(dev), " --dev %u", finding->key.ifindex);
	if (needs_uid(scene, &finding->key))
		snprintf(uid, sizeof(uid), " --uid %u", finding->key.uid);
	finding_mend(finding, "reuseportctl %s --port %u%s%s --addr %s%s%s%s%s", command,
		     finding->key.port, finding->key.proto == IPPROTO_UDP ? " --proto udp" : "",
		     netns, addr, dev, uid, *rest ? " " : "", rest);
}

void mend_kill_first(struct finding *finding, uint32_t pid)
{
	char command[sizeof(finding->mend)];

	if (!finding)
		return;
	snprintf(command, sizeof(command), "%s", finding->mend);
	finding_mend(finding, "kill -KILL %u && %s", pid, command);
}

void mend_sysctl(struct finding *finding, uint32_t pid, const char *name, uint64_t value)
{
	unsigned long long number = value;

	if (!finding)
		return;
	if (is_own_netns(finding->key.netns))
		finding_mend(finding, "sysctl -w %s=%llu", name, number);
	else if (is_plain_name(finding->finding.netns_name))
		finding_mend(finding, "ip netns exec %s sysctl -w %s=%llu",
			     finding->finding.netns_name, name, number);
	else if (pid)
		finding_mend(finding, "nsenter --net=/proc/%u/ns/net sysctl -w %s=%llu", pid, name,
			     number);
}
