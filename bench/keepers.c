// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the keepers take: processes, memory, descriptors, CPU time. */
#include "keepers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reuseport_bpf.h"

static ssize_t link_of(const char *path, char *to, size_t size)
{
	ssize_t len = readlink(path, to, size - 1);

	to[len > 0 ? len : 0] = '\0';
	return len;
}

/* A keeper that was started here, and not by someone else on this machine. */
static int is_ours(int pid)
{
	char path[64], comm[32] = "", mount[64], own[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		*comm = '\0';
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return !strcmp(comm, REUSEPORT_KEEPER_NAME) && link_of(path, mount, sizeof(mount)) > 0 &&
	       link_of("/proc/self/ns/mnt", own, sizeof(own)) > 0 && !strcmp(mount, own);
}

static void add_memory(int pid, struct keepers *keepers)
{
	unsigned long long kb;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Pss: %llu", &kb) == 1)
			keepers->pss_kb += kb;
		if (sscanf(line, "Rss: %llu", &kb) == 1)
			keepers->rss_kb += kb;
	}
	if (file)
		fclose(file);
}

static void add_descriptors(int pid, struct keepers *keepers)
{
	char path[64], name[400], to[128];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		link_of(name, to, sizeof(to));
		keepers->fds++;
		keepers->map_fds += !strcmp(to, "anon_inode:bpf-map");
	}
	if (dir)
		closedir(dir);
}

static uint64_t cpu_of(int pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int for_each(void (*add)(int pid, struct keepers *keepers), struct keepers *keepers)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	*keepers = (struct keepers){ 0 };
	if (!proc) {
		perror("bench: /proc");
		return -errno;
	}
	while ((entry = readdir(proc))) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && is_ours(pid))
			add(pid, keepers);
	}
	closedir(proc);
	return 0;
}

static void add_cpu(int pid, struct keepers *keepers)
{
	keepers->cpu_ns += cpu_of(pid);
}

static void add_all(int pid, struct keepers *keepers)
{
	keepers->n++;
	add_cpu(pid, keepers);
	add_memory(pid, keepers);
	add_descriptors(pid, keepers);
}

int keepers__read(struct keepers *keepers)
{
	return for_each(add_all, keepers);
}

uint64_t keepers__cpu_ns(void)
{
	struct keepers keepers;

	return for_each(add_cpu, &keepers) ? 0 : keepers.cpu_ns;
}
