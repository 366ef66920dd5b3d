/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * CPU pick: how the kernel itself picks a member of a group, where no program does. Pure.
 *
 * Since 6.2, once a member has set SO_INCOMING_CPU (reuseport_select_sock_by_hash() in
 * net/core/sock_reuseport.c), it takes the first member whose SO_INCOMING_CPU is the CPU that
 * handles the packet, from the place on that the hash gives; if there is none, the one at that
 * place. Before, only the hash counts. What a socket has received changes nothing: the kernel
 * writes the last packet's CPU there for connected sockets alone.
 */
#ifndef SOCKETS_CPU_PICK_H
#define SOCKETS_CPU_PICK_H

#include "sockets/group_members.h"

enum cpu_pick {
	CPU_PICK_UNKNOWN, /* there are no iterators, or old ones */
	CPU_PICK_HASH,
	CPU_PICK_CPU,
};

/* Return how the kernel picks a member of the group that has this socket. */
enum cpu_pick cpu_pick_of_group(const struct group_members *members, uint64_t cookie);

/* Return SO_INCOMING_CPU of a socket, -1 for none or not known. */
int32_t cpu_pick_of_socket(const struct group_members *members, uint64_t cookie);

/*
 * Fill in the probability of each of n members, by their SO_INCOMING_CPU: for a packet that a CPU
 * handles; -1: any of so many CPUs, each equally likely. Which of several members the hash gives is
 * not known. Return how many have that CPU, 0 for -1.
 */
size_t cpu_pick_share(enum cpu_pick pick, const int32_t *incoming_cpu, size_t n, int cpu,
		      unsigned int cpus, double *probability);

#endif
