/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * sk_lookup: attaches a program of that type to its network namespace, which decides nothing,
 * prints "ready", and waits. The program goes with the process.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = SK_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_SK_LOOKUP);
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), program;

	program = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "rp_lookup", "GPL", pass, 2, &opts);
	if (ns < 0 || program < 0)
		err(1, "cannot load");
	if (bpf_link_create(program, ns, BPF_SK_LOOKUP, NULL) < 0)
		err(1, "cannot attach");
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
