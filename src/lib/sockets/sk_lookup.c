// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* sk_lookup: BPF programs of a network namespace that choose a socket before the lookup. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/netns.h"
#include "sockets/sk_lookup.h"

#define PROGRAMS_MAX 64 /* the kernel's limit, NETNS_BPF_MAX_PROGS or so */

/* A kernel that has none says so by an error. */
uint32_t sk_lookup_programs(uint32_t *first)
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
