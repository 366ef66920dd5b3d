/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * swap: in a directory where everybody may make files, put in turns an empty directory, a
 * directory with a link, a link, and nothing in the place of NAME, as often as possible;
 * now and then one stays for some milliseconds. The links
 * lead to TARGET; the one in the directory is named LINK. Runs as user 65534, prints
 * "ready" once it begins, and how often it succeeded when it ends, on SIGTERM.
 */
#include "common.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRANGER 65534

static const char usage[] = "swap DIRECTORY NAME TARGET LINK\n";
static const char *const ours[] = { "stranger-empty", "stranger-full", "stranger-link" };
static volatile sig_atomic_t ended;

static void on_term(int signal)
{
	(void)signal;
	ended = 1;
}

static void become_stranger(const char *directory)
{
	if (setgroups(0, NULL) || setresgid(STRANGER, STRANGER, STRANGER) ||
	    setresuid(STRANGER, STRANGER, STRANGER) || chdir(directory)) {
		perror(directory);
		exit(1);
	}
}

/* Make what is missing: root may have removed it. */
static void make_ours(const char *target, const char *link)
{
	char path[512];

	mkdir(ours[0], 0777);
	mkdir(ours[1], 0777);
	snprintf(path, sizeof(path), "%s/%s", ours[1], link);
	if ((symlink(target, path) | symlink(target, ours[2])) && errno != EEXIST)
		perror("symlink");
}

static void stay_sometimes(void)
{
	if (rand() % 512 == 0)
		usleep(rand() % 40000);
}

int main(int argc, char **argv)
{
	unsigned long swapped = 0;

	if (argc != 5) {
		fputs(usage, stderr);
		return 2;
	}
	become_stranger(argv[1]);
	make_ours(argv[3], argv[4]);
	signal(SIGTERM, on_term);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		for (int i = 0; i < 3; i++) {
			if (rename(ours[i], argv[2]))
				continue;
			swapped++;
			stay_sometimes();
			if (rename(argv[2], ours[i]))
				make_ours(argv[3], argv[4]);
		}
		stay_sometimes();
	}
	printf("%lu\n", swapped);
	return 0;
}
