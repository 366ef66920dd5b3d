/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Probes: each one tests one feature of the kernel in the smallest way, and leaves
 * nothing behind. It returns 0 if the feature works, else -errno. btf is the kernel's,
 * or NULL if it has none.
 */
#ifndef HOST_PROBES_H
#define HOST_PROBES_H

struct btf;

int probe_sk_reuseport(const struct btf *btf);
int probe_probe_reads(const struct btf *btf);
int probe_pidfd_getfd(const struct btf *btf);
int probe_mmap(const struct btf *btf);
int probe_migration(const struct btf *btf);
int probe_plain_reads(const struct btf *btf);
int probe_ring_buffer(const struct btf *btf);
int probe_cgroup2(const struct btf *btf);
int probe_bind_events(const struct btf *btf);
int probe_sockopt(const struct btf *btf);
int probe_iterators(const struct btf *btf);
int probe_test_run(const struct btf *btf);
int probe_ticks(const struct btf *btf);
int probe_netns_cookie(const struct btf *btf);
int probe_detach(const struct btf *btf);
int probe_udp_iter_order(const struct btf *btf);
int probe_udp_hash4(const struct btf *btf);
int probe_memcg(const struct btf *btf);

#endif
