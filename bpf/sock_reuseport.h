/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read the kernel's struct sock_reuseport from the program: how many members the group
 * has, which socket is the i-th, which slot of our array the socket is in.
 *
 * By plain loads where the kernel has bpf_rdonly_cast (6.2), else by probe reads. The
 * loader sets "plain_reads", and the verifier removes the other branch.
 */
#ifndef BPF_SOCK_REUSEPORT_H
#define BPF_SOCK_REUSEPORT_H

#include "kernel.h"

#define NO_SLOT ((__u32)-1)

const volatile bool plain_reads;

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;
extern void *bpf_rdonly_cast(const void *p, __u32 btf_id) __ksym __weak;

/* A structure of the kernel that begins with one word, to read a word anywhere. */
#define WORD_BOX struct rb_node
#define WORD_BOX_FIELD __rb_parent_color

/* Read p->field, where p is any kernel pointer to "type". */
#define KERNEL_READ(type, p, field)                                                          \
	({                                                                                   \
		typeof(((type *)0)->field) value_;                                           \
		if (plain_reads)                                                             \
			value_ = ((type *)bpf_rdonly_cast(p, bpf_core_type_id_kernel(type))) \
					 ->field;                                            \
		else                                                                         \
			value_ = BPF_CORE_READ((type *)(p), field);                          \
		value_;                                                                      \
	})

static __always_inline __u64 kernel_word(__u64 address)
{
	return KERNEL_READ(WORD_BOX, (void *)address, WORD_BOX_FIELD);
}

/* Return the kernel's group of the socket that the lookup has found. */
static __always_inline struct sock_reuseport *group_of(struct sk_reuseport_md *ctx)
{
	void *sk;

	if (plain_reads)
		sk = ctx->sk;
	else
		sk = BPF_CORE_READ((struct sk_reuseport_kern *)ctx, sk);
	return KERNEL_READ(struct sock, sk, sk_reuseport_cb);
}

/* Return the i-th member; i is below num_socks. */
static __always_inline struct sock *member_of(struct sock_reuseport *group, __u32 i)
{
	__u64 at = (__u64)group + bpf_core_field_offset(struct sock_reuseport, socks) +
		   (__u64)i * sizeof(void *);

	return (struct sock *)kernel_word(at);
}

/*
 * Return the slot that a socket is in; NO_SLOT if it is in no array or in another one.
 * The kernel keeps the address of the array's entry in sk_user_data, with flags in the
 * lowest three bits (reuseport_array_update_check() and its caller in
 * kernel/bpf/reuseport_array.c).
 */
static __always_inline __u32 slot_of(struct sock *sk, __u64 first_entry, __u32 slots)
{
	__u64 at = (__u64)sk + bpf_core_field_offset(struct sock, sk_user_data);
	__u64 slot = ((kernel_word(at) & ~7ULL) - first_entry) / sizeof(void *);

	return slot < slots ? (__u32)slot : NO_SLOT;
}

/*
 * Return the address of the first entry of a REUSEPORT_SOCKARRAY. The verifier allows
 * no arithmetic on a map pointer, so its value is read back from the stack.
 */
static __always_inline __u64 first_entry_of(void *map)
{
	void *pointer = map;
	__u64 address = 0;

	if (bpf_probe_read_kernel(&address, sizeof(address), &pointer))
		return 0;
	return address + bpf_core_field_offset(struct reuseport_array, ptrs);
}

#endif
