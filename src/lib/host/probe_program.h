/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Probe program: the tiny programs that probes load, and the instructions that they consist of. */
#ifndef HOST_PROBE_PROGRAM_H
#define HOST_PROBE_PROGRAM_H

#include <linux/bpf.h>
#include <stddef.h>

#define MOVE(to, value)                                                          \
	{                                                                        \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value \
	}
#define COPY(to, from)                                                              \
	{                                                                           \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from \
	}
#define ADD(to, value)                                                           \
	{                                                                        \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = to, .imm = value \
	}
#define LOAD(to, from, at)                                                                    \
	{                                                                                     \
		.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = to, .src_reg = from, .off = at \
	}
#define STORE_WORD(to, at, value)                                                        \
	{                                                                                \
		.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = to, .off = at, .imm = value \
	}
#define MAP_FD(to, fd)                       \
	{ .code = BPF_LD | BPF_DW | BPF_IMM, \
	  .dst_reg = to,                     \
	  .src_reg = BPF_PSEUDO_MAP_FD,      \
	  .imm = fd },                       \
	{                                    \
		0                            \
	}
#define HELPER(id)                                    \
	{                                             \
		.code = BPF_JMP | BPF_CALL, .imm = id \
	}
#define KFUNC(id)                                                                       \
	{                                                                               \
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = id \
	}
#define RETURN(value)                      \
	MOVE(BPF_REG_0, value),            \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

#define CALL_OF(insns) insns, sizeof(insns) / sizeof((insns)[0])

/* Load a tiny program; return its fd or -errno. */
int probe_program_load(enum bpf_prog_type type, enum bpf_attach_type attach_type, int btf_id,
		       const struct bpf_insn *insns, size_t n);

/* Close what a probe has opened; return 0, or the -errno that it has got instead. */
int probe_program_close(int fd);

#endif
