// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* CPU pick: how the kernel itself picks a member of a group, where no program does. */
#include "sockets/cpu_pick.h"

enum cpu_pick cpu_pick_of_group(const struct group_members *members, uint64_t cookie)
{
	const struct group_member *member = group_iter_find(&members->kernel, cookie);

	if (member && member->user_data & MEMBER_BY_CPU)
		return CPU_PICK_CPU;
	return member && member->user_data & MEMBER_BY_HASH ? CPU_PICK_HASH : CPU_PICK_UNKNOWN;
}

int32_t cpu_pick_of_socket(const struct group_members *members, uint64_t cookie)
{
	const struct group_member *member = group_iter_find(&members->kernel, cookie);

	return member ? member->cpu : -1;
}

/* Add the shares of packets that one CPU handles. */
static size_t cpu_pick_add(const int32_t *incoming_cpu, size_t n, int cpu, double whole,
			   double *probability)
{
	size_t same = 0;

	for (size_t i = 0; i < n; i++)
		same += incoming_cpu[i] == cpu;
	for (size_t i = 0; i < n; i++)
		if (!same)
			probability[i] += whole / n;
		else if (incoming_cpu[i] == cpu)
			probability[i] += whole / same;
	return same;
}

size_t cpu_pick_share(enum cpu_pick pick, const int32_t *incoming_cpu, size_t n, int cpu,
		      unsigned int cpus, double *probability)
{
	for (size_t i = 0; i < n; i++)
		probability[i] = pick == CPU_PICK_CPU ? 0 : 1.0 / n;
	if (pick != CPU_PICK_CPU)
		return 0;
	if (cpu >= 0)
		return cpu_pick_add(incoming_cpu, n, cpu, 1, probability);
	for (unsigned int any = 0; any < cpus; any++)
		cpu_pick_add(incoming_cpu, n, any, 1.0 / cpus, probability);
	return 0;
}
