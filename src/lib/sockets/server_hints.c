// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Server hints: how each well-known server turns SO_REUSEPORT on. */
#include <stddef.h>
#include <string.h>

#include "sockets/server_hints.h"

const char *server_hint_reuseport(const char *comm)
{
	static const struct {
		const char *comm; /* beginning of the process's name */
		const char *hint;
	} servers[] = {
		{ "nginx", "add 'reuseport' to its 'listen' directive" },
		{ "angie", "add 'reuseport' to its 'listen' directive" },
		{ "haproxy", "set 'shards by-thread' on its 'bind' line" },
		{ "knot", "set 'tcp-reuseport: on' in its 'server' section" },
		{ "unbound", "set 'so-reuseport: yes' and 'num-threads' above 1" },
		{ "nsd", "set 'reuseport: yes' and 'server-count' above 1" },
		{ "named", "set 'reuseport yes;' in its options" },
		{ "pdns_recursor", "set 'reuseport=yes' and 'pdns-distributes-queries=no'" },
		{ "pdns", "set 'reuseport=yes' and 'receiver-threads' above 1, which is for UDP "
			  "alone: its TCP socket never has it" },
		{ "dnsdist", "give 'reusePort=true' to addLocal" },
		{ "apache2", "set 'ListenCoresBucketsRatio 1'" },
		{ "httpd", "set 'ListenCoresBucketsRatio 1'" },
		{ "envoy", "set 'enable_reuse_port: true' on its listener" },
		{ "gunicorn", "start it with --reuse-port" },
		{ "uwsgi", "start it with --reuse-port" },
		{ "python", "give reuse_port=True to create_server or "
			    "create_datagram_endpoint" },
		{ "node", "give reusePort: true to listen (node 23.1 or later)" },
		{ "caddy", "it sets SO_REUSEPORT by itself on Linux; start several" },
		{ "memcached", "it has no such option for TCP" },
	};

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (!strncmp(comm, servers[i].comm, strlen(servers[i].comm)))
			return servers[i].hint;
	return "the server must set SO_REUSEPORT before bind (nginx: 'listen ... reuseport', "
	       "haproxy: 'shards by-thread', asyncio: reuse_port=True)";
}
