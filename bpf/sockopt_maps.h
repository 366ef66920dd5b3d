/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of the socket options; abi.h describes what is in them. */
#ifndef BPF_SOCKOPT_MAPS_H
#define BPF_SOCKOPT_MAPS_H

#include "abi.h"
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct request);
} sockopt_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, __u64); /* cookie */
	__type(value, struct request);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, __u64); /* cookie */
	__type(value, struct member);
} members SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ATTACHMENTS_MAX);
	__type(key, struct steered_key);
	__type(value, struct steered);
} steered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, struct worker_id);
	__type(value, __u64); /* cookie */
} worker_ids SEC(".maps");

/* As the map "asked" of each attachment. */
struct asked_words {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct asked_slot));
};

/* As its map "control", which libbpf makes of a data section. */
struct control_section {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct control));
};

/* These two need Linux 5.10. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ATTACHMENTS_MAX);
	__type(key, __u64); /* attachment_entry.attached_ns */
	__array(values, struct asked_words);
} asked_maps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ATTACHMENTS_MAX);
	__type(key, __u64);
	__array(values, struct control_section);
} control_maps SEC(".maps");

#endif
