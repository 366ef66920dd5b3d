// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Process: what /proc knows of the processes of workers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/process.h"
#include "host/look.h"
#include "host/proc_dir.h"

/* Of a process with more threads, these are counted. */
#define THREADS_MAX 256

struct facts_list {
	struct process_facts *facts;
	size_t n;
};

/* Add a thread's context switches, and set the state of the process. */
static void read_thread(struct process_facts *facts, long tid)
{
	static const char voluntary[] = "voluntary_ctxt_switches:",
			  involuntary[] = "nonvoluntary_ctxt_switches:", state[] = "State:\t";
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/task/%ld/status", facts->pid, tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, voluntary, sizeof(voluntary) - 1))
			facts->switches += strtoull(line + sizeof(voluntary) - 1, NULL, 10);
		else if (!strncmp(line, involuntary, sizeof(involuntary) - 1))
			facts->switches += strtoull(line + sizeof(involuntary) - 1, NULL, 10);
		else if (!strncmp(line, state, sizeof(state) - 1) && tid == facts->pid)
			facts->state = line[sizeof(state) - 1];
	}
	if (file)
		fclose(file);
}

static void read_threads(struct look_report *report, struct process_facts *facts)
{
	struct proc_dir tasks;
	char path[32];
	long tid;

	snprintf(path, sizeof(path), "/proc/%u/task", facts->pid);
	if (proc_dir_open(&tasks, path))
		return;
	for (int i = 0; i < THREADS_MAX && (tid = proc_dir_next(&tasks)) >= 0; i++) {
		look_progress(report);
		read_thread(facts, tid);
	}
	proc_dir_close(&tasks);
}

/* A file that was replaced meanwhile, by an upgrade say, is the same program. */
static void read_exe(struct process_facts *facts)
{
	static const char deleted[] = " (deleted)";
	char path[32];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/exe", facts->pid);
	len = readlink(path, facts->exe, sizeof(facts->exe) - 1);
	facts->exe[len > 0 ? len : 0] = '\0';
	len -= sizeof(deleted) - 1;
	if (len > 0 && !strcmp(facts->exe + len, deleted))
		facts->exe[len] = '\0';
}

static void read_cgroup(struct process_facts *facts)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", facts->pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::", 3))
			snprintf(facts->cgroup, sizeof(facts->cgroup), "%.*s",
				 (int)strcspn(line + 3, "\n"), line + 3);
	if (file)
		fclose(file);
}

/* Return whether the process was looked at for an earlier worker. */
static bool is_repeated(const struct facts_list *list, size_t i)
{
	size_t k = 0;

	while (list->facts[k].pid != list->facts[i].pid)
		k++;
	return k < i;
}

static int read_processes(struct look_report *report, void *arg)
{
	const struct facts_list *list = arg;
	int ret = 0;

	for (size_t i = 0; !ret && i < list->n; i++) {
		struct process_facts facts = { .pid = list->facts[i].pid };

		if (!facts.pid || is_repeated(list, i) || !look_at(report, facts.pid))
			continue;
		read_threads(report, &facts);
		read_exe(&facts);
		read_cgroup(&facts);
		ret = look_tell(report, &facts);
	}
	return ret;
}

static void take_facts(void *ctx, const void *record)
{
	const struct facts_list *list = ctx;
	const struct process_facts *facts = record;

	for (size_t i = 0; i < list->n; i++)
		if (list->facts[i].pid == facts->pid)
			list->facts[i] = *facts;
}

void process_facts_read(struct process_facts *facts, size_t n)
{
	struct facts_list list = { facts, n };
	const struct look_job job = { .run = read_processes,
				      .arg = &list,
				      .record = sizeof(*facts),
				      .take = take_facts,
				      .ctx = &list,
				      .minor = true };

	/* Without helpers, others are not looked at. */
	if (n && look_isolated())
		look_run(&job);
}

bool process_is_stopped(uint32_t pid)
{
	struct process_facts facts = { .pid = pid };

	process_facts_read(&facts, 1);
	return facts.state == 'T' || facts.state == 't';
}
