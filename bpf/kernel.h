/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first include of every BPF program: the kernel's structures (vmlinux.h, with the
 * members that are used only), the UAPI and libbpf's helpers.
 */
#ifndef BPF_KERNEL_H
#define BPF_KERNEL_H

#ifdef VMLINUX_FULL /* "make vmlinux" compiles with the full one, to cut ours from it */
#define _LINUX_TYPES_H
#define request kernel_request /* ours is another one */
#include "vmlinux.h"
#undef request
#else
#include <stdbool.h>
#include <linux/bpf.h>
#include "vmlinux.h"
#endif
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#endif
