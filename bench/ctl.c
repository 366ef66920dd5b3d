// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Runs reuseportctl on a group of this process's network namespace. */
#include "ctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

/* Runs "reuseportctl VERB", told our group, and MORE; its output, or NULL. */
static FILE *start(const struct ctl *ctl, const char *verb, const char *more)
{
	char command[512];

	if (snprintf(command, sizeof(command), "'%s' %s --port %d --proto %s --netns %d %s",
		     ctl->path, verb, BENCH_PORT, ctl->proto, getpid(),
		     more) >= (int)sizeof(command))
		return NULL;
	return popen(command, "r");
}

/* What it prints is read to the end, or it would die of SIGPIPE. */
static int run(const struct ctl *ctl, const char *verb, const char *more)
{
	FILE *output = start(ctl, verb, more);
	char line[512];

	while (output && fgets(line, sizeof(line), output))
		;
	if (!output || pclose(output)) {
		fprintf(stderr, "bench: reuseportctl %s failed\n", verb);
		return -EIO;
	}
	return 0;
}

static int read_pin(struct ctl *ctl)
{
	FILE *output = start(ctl, "status", "--json");
	json_t *status = output ? json_loadf(output, 0, NULL) : NULL;
	const char *pin = NULL;
	int err = -EIO;

	if (output)
		pclose(output);
	if (!json_unpack(status, "{s:[{s:s}]}", "groups", "pin", &pin) &&
	    strlen(pin) < sizeof(ctl->pin)) {
		strcpy(ctl->pin, pin);
		err = 0;
	} else {
		fprintf(stderr, "bench: reuseportctl status --json names no pin\n");
	}
	json_decref(status);
	return err;
}

int ctl__attach(struct ctl *ctl, const char *more)
{
	int err = run(ctl, "attach", more);

	if (!err)
		err = read_pin(ctl);
	/* A signal may have ended attach when the keeper was there already. */
	if (err)
		run(ctl, "detach", "2>/dev/null");
	return err;
}

int ctl__detach(const struct ctl *ctl)
{
	int err = run(ctl, "detach", "");

	if (!err && *ctl->pin && !access(ctl->pin, F_OK)) {
		fprintf(stderr, "bench: detach left something behind\n");
		err = -EEXIST;
	}
	return err;
}
