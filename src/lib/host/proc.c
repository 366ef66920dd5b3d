// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What /proc knows of one process: its name, and the numbers in its stat file. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/proc.h"

unsigned long long proc_stat(uint32_t pid, int field)
{
	char path[32], text[1024];
	const char *at;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	/* The name, field 2, can contain any character, even ')' and a newline. */
	at = strrchr(text, ')');
	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

bool proc_lives(uint32_t pid)
{
	return pid && (!kill(pid, 0) || errno != ESRCH);
}

void proc_comm(uint32_t pid, char text[16])
{
	char path[32];
	size_t len;
	FILE *file;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	/* The name can contain a newline; only the last one is not part of it. */
	len = fread(text, 1, 16, file);
	text[len ? len - 1 : 0] = '\0';
	fclose(file);
}

/* Copy the path of the line that begins so, "0::". Return whether there is one. */
static bool proc_cgroup_line(const char *text, const char *begin, char path[PROC_CGROUP_MAX])
{
	const char *line = strstr(text, begin);
	size_t len;

	if (!line)
		return false;
	line += strlen(begin);
	len = strcspn(line, "\n");
	if (!line[len] || len >= PROC_CGROUP_MAX)
		return false;
	memcpy(path, line, len);
	path[len] = '\0';
	return true;
}

bool proc_cgroup(uint32_t pid, char path[PROC_CGROUP_MAX])
{
	char name[32], text[4 * PROC_CGROUP_MAX];
	size_t len;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	file = fopen(name, "re");
	if (!file)
		return false;
	/* So that each line begins alike. */
	text[0] = '\n';
	len = fread(text + 1, 1, sizeof(text) - 2, file);
	fclose(file);
	text[len + 1] = '\0';
	if (proc_cgroup_line(text, "\n0::", path) && strcmp(path, "/"))
		return true;
	return proc_cgroup_line(text, ":name=systemd:", path) ||
	       proc_cgroup_line(text, "\n0::", path);
}
