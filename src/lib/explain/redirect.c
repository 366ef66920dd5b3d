// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Redirect: what may give a packet to another socket before the lookup on its port. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "explain/redirect.h"
#include "sockets/group_iter.h"
#include "sockets/sock_diag.h"

#define PROGRAMS_MAX 64 /* the kernel's limit, NETNS_BPF_MAX_PROGS or so */

/* Return how many sk_lookup programs the thread's namespace has, with the id of the first. A
 * kernel that has none says so by an error. */
static uint32_t redirect_programs(uint32_t *first)
{
	uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX, flags;
	int netns = open(NETNS_OWN_PATH, O_RDONLY | O_CLOEXEC), ret;

	if (netns < 0)
		return 0;
	ret = bpf_prog_query(netns, BPF_SK_LOOKUP, 0, &flags, ids, &n);
	close(netns);
	if ((ret && errno != ENOSPC) || !n)
		return 0;
	*first = ids[0];
	return n;
}

/* Return whether a socket of the protocol is one that TPROXY may give packets to. */
static int redirect_has_transparent(int proto, bool *has, struct reuseport_error *err)
{
	struct sock_diag_list all;
	int ret = sock_diag_dump(proto, 0, &all, err);

	*has = false;
	if (ret)
		return ret;
	for (size_t i = 0; i < all.n; i++)
		*has |= all.sockets[i].transparent;
	free(all.sockets);
	return 0;
}

int redirect_find(const struct lookup_packet *packet, const struct netns_ref *ns,
		  char text[REDIRECT_TEXT], struct reuseport_error *err)
{
	uint32_t id = 0, programs;
	struct netns_visit visit;
	bool transparent;
	char name[64];
	int ret;

	*text = '\0';
	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	programs = redirect_programs(&id);
	ret = redirect_has_transparent(packet->proto, &transparent, err);
	netns_leave(&visit);
	if (ret)
		return ret;
	if (programs) {
		group_program_name(id, name, sizeof(name));
		snprintf(text, REDIRECT_TEXT,
			 "a BPF sk_lookup program of this network namespace (id %u%s%s) may give "
			 "the packet to a socket on any address and port",
			 id, *name ? ", " : "", name);
	} else if (transparent) {
		snprintf(text, REDIRECT_TEXT,
			 "there are sockets with IP_TRANSPARENT: if a TPROXY rule matches the "
			 "packet, it goes to one of them, on any address and port");
	}
	return 0;
}
