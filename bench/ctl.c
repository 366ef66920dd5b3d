// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Runs reuseportctl on one group, of this process's network namespace or another's. */
#include "ctl.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "net.h"

int ctl__enter_own_bpffs(void)
{
	if (!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("bpffs", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		return 0;
	perror("bench: a bpffs of our own");
	return -errno;
}

/* What it prints is read to the end, or it would die of SIGPIPE. */
int ctl__run(const struct ctl *ctl, const char *verb, const char *more)
{
	char command[512], line[512];
	FILE *output = NULL;

	if (snprintf(command, sizeof(command), "'%s' %s --port %d --proto %s --netns %d %s",
		     ctl->path, verb, ctl->port ? ctl->port : BENCH_PORT, ctl->proto,
		     ctl->netns ? ctl->netns : getpid(), more) < (int)sizeof(command))
		output = popen(command, "r");
	while (output && fgets(line, sizeof(line), output))
		;
	if (!output || pclose(output)) {
		fprintf(stderr, "bench: reuseportctl %s failed\n", verb);
		return -EIO;
	}
	return 0;
}

json_t *ctl__status(const struct ctl *ctl, const char *more)
{
	json_t *status = NULL, *groups;
	FILE *output = NULL;
	char command[512];

	if (snprintf(command, sizeof(command), "'%s' status --json %s", ctl->path, more) <
	    (int)sizeof(command))
		output = popen(command, "r");
	if (output)
		status = json_loadf(output, 0, NULL);
	if (!output || pclose(output) || !json_is_array(json_object_get(status, "groups"))) {
		fprintf(stderr, "bench: reuseportctl status --json failed\n");
		json_decref(status);
		return NULL;
	}
	groups = json_incref(json_object_get(status, "groups"));
	json_decref(status);
	return groups;
}

int ctl__read_pin(struct ctl *ctl)
{
	char which[128];
	const char *pin;
	json_t *groups;
	int err = -EIO;

	snprintf(which, sizeof(which), "--port %d --proto %s --netns %d",
		 ctl->port ? ctl->port : BENCH_PORT, ctl->proto,
		 ctl->netns ? ctl->netns : getpid());
	groups = ctl__status(ctl, which);
	pin = json_string_value(json_object_get(json_array_get(groups, 0), "pin"));
	if (pin && strlen(pin) < sizeof(ctl->pin)) {
		strcpy(ctl->pin, pin);
		err = 0;
	} else {
		fprintf(stderr, "bench: reuseportctl status --json names no pin\n");
	}
	json_decref(groups);
	return err;
}

int ctl__attach(struct ctl *ctl, const char *more)
{
	int err = ctl__run(ctl, "attach", more);

	if (!err)
		err = ctl__read_pin(ctl);
	/* A signal may have ended attach when the keeper was there already. */
	if (err)
		ctl__run(ctl, "detach", "2>/dev/null");
	return err;
}

int ctl__detach(const struct ctl *ctl)
{
	int err = ctl__run(ctl, "detach", "");

	if (!err && *ctl->pin && !access(ctl->pin, F_OK)) {
		fprintf(stderr, "bench: detach left something behind\n");
		err = -EEXIST;
	}
	return err;
}
