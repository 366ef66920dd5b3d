// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Programs that are not this toolkit's: in their cgroup they answer the level 0x1234 and an option
 * among those of iptables, and set SO_RCVBUF to what they want. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define OTHER_LEVEL 0x1234
#define SOL_IP 0
#define OTHER_OPTION 70
#define SOL_SOCKET 1
#define SO_RCVBUF 8
#define RCVBUF 20000

SEC("cgroup/setsockopt")
int other_set(volatile struct bpf_sockopt *ctx)
{
	int *value = (int *)(long)ctx->optval;

	if (ctx->level == OTHER_LEVEL || (ctx->level == SOL_IP && ctx->optname == OTHER_OPTION))
		ctx->optlen = -1; /* the kernel is not asked */
	else if (ctx->level == SOL_SOCKET && ctx->optname == SO_RCVBUF &&
		 (void *)(value + 1) <= (void *)(long)ctx->optval_end)
		*value = RCVBUF;
	return 1;
}

SEC("cgroup/getsockopt")
int other_get(volatile struct bpf_sockopt *ctx)
{
	int *value = (int *)(long)ctx->optval;

	if (ctx->level == OTHER_LEVEL && (void *)(value + 1) <= (void *)(long)ctx->optval_end) {
		*value = 77;
		ctx->optlen = sizeof(*value);
		ctx->retval = 0;
	}
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
