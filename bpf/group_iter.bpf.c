// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Socket iterators: write a struct group_member for each socket of a network namespace
 * that is a member of a reuseport group, with the group's program. Or, if "port" is
 * set, for each socket on that port, member or not, in the order of the kernel's
 * lookup.
 */
#include "group_iter.h"

__u16 port; /* write every socket on this port; 0: write every member */

SEC("iter/tcp")
int group_iter_tcp(struct bpf_iter__tcp *ctx)
{
	return write_tcp(ctx, port);
}

SEC("iter/udp")
int group_iter_udp(struct bpf_iter__udp *ctx)
{
	write_udp(ctx, port);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
