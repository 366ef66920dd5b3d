// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Topology: the CPUs and NUMA nodes of the host, and sets of CPUs. */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/topology.h"

#define NODES "/sys/devices/system/node"
#define WORDS (CPUS_MAX / 64)

unsigned int cpus_count(const struct cpus *set)
{
	unsigned int count = 0;

	for (int i = 0; i < WORDS; i++)
		count += __builtin_popcountll(set->words[i]);
	return count;
}

bool cpus_within(const struct cpus *set, const struct cpus *other)
{
	for (int i = 0; i < WORDS; i++)
		if (set->words[i] & ~other->words[i])
			return false;
	return true;
}

bool cpus_meet(const struct cpus *set, const struct cpus *other)
{
	for (int i = 0; i < WORDS; i++)
		if (set->words[i] & other->words[i])
			return true;
	return false;
}

static int parse_cpu(const char **at, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	*number = strtoul(*at, &end, 10);
	*at = end;
	return *number < CPUS_MAX ? 0 : -EINVAL;
}

int cpus_parse(const char *text, const char **end, struct cpus *set)
{
	struct cpus parsed = { 0 };
	unsigned long first, last;

	for (;; text++) {
		if (parse_cpu(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-') {
			text++;
			if (parse_cpu(&text, &last) || last < first)
				return -EINVAL;
		}
		for (unsigned long cpu = first; cpu <= last; cpu++)
			cpus_add(&parsed, cpu);
		if (*text != ',')
			break;
	}
	*end = text;
	*set = parsed;
	return 0;
}

int cpus_of_process(uint32_t pid, struct cpus *set)
{
	/* The raw system call, because glibc's cpu_set_t is too small for large hosts. */
	*set = (struct cpus){ 0 };
	return syscall(SYS_sched_getaffinity, pid, sizeof(set->words), set->words) < 0 ? -errno : 0;
}

unsigned int topology_cpus(void)
{
	int cpus = libbpf_num_possible_cpus();

	return cpus > 0 ? cpus : 1;
}

/* Read a file with one list of CPUs or nodes. */
static int read_cpu_list(const char *path, struct cpus *set)
{
	char text[4096];
	const char *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -ENOENT;
	text[len] = '\0';
	return cpus_parse(text, &end, set);
}

unsigned int topology_nodes(void)
{
	struct cpus nodes;
	unsigned int last = 0;

	if (read_cpu_list(NODES "/possible", &nodes))
		return 1;
	for (unsigned int node = 0; node < CPUS_MAX; node++)
		if (cpus_has(&nodes, node))
			last = node;
	return last + 1;
}

void topology_cpus_of_node(unsigned int node, struct cpus *set)
{
	char path[sizeof(NODES) + 32];

	snprintf(path, sizeof(path), NODES "/node%u/cpulist", node);
	*set = (struct cpus){ 0 };
	if (!read_cpu_list(path, set) || node || !access(NODES "/possible", F_OK))
		return;
	for (unsigned int cpu = 0; cpu < topology_cpus(); cpu++)
		cpus_add(set, cpu);
}
