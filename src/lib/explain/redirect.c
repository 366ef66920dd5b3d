// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Redirect: what may give a packet to another socket before the lookup on its port. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "error.h"
#include "explain/redirect.h"
#include "sockets/group_iter.h"
#include "sockets/sk_lookup.h"
#include "sockets/sock_diag.h"

#define MOMENT (500 * CLOCK_MS) /* of a series of explanations */

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

static int redirect_look(const struct lookup_packet *packet, const struct netns_ref *ns,
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
	programs = sk_lookup_programs(&id);
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

int redirect_find(const struct lookup_packet *packet, const struct netns_ref *ns,
		  struct redirect *redirect, struct reuseport_error *err)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int ret;

	if (redirect->looked_at && redirect->netns == ns->inode &&
	    redirect->proto == packet->proto && now - redirect->looked_at < MOMENT)
		return 0;
	ret = redirect_look(packet, ns, redirect->text, err);
	if (ret)
		return ret;
	redirect->netns = ns->inode;
	redirect->proto = packet->proto;
	redirect->looked_at = clock_ns(CLOCK_MONOTONIC);
	return 0;
}
