// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hints: the option or command that does what a message of the library asks for. The
 * library speaks of operations, since programs without these options use it, too. */
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "hint.h"

static const struct {
	const char *asks; /* a part of the library's text */
	const char *hint;
} hints[] = {
	{ "more slots", " (--slots N)" },
	{ "slots or more", " (--slots N)" },
	{ "more table entries", " (--table N)" },
	{ "force the attach", " (--force)" },
	{ "force the detach", " (--force)" },
	{ "force the drain", " (--force)" },
	{ "attach to a part of the group", " (--partial)" },
	{ "name the uid", " (--uid UID)" },
	{ "name the network namespace", " (--netns NAME)" },
	{ "or wait for it", " (--wait)" },
	{ "protocol udp", " (--proto udp)" },
	{ "protocol tcp", " (--proto tcp)" },
	{ "name the device", " (--dev DEV)" },
	{ "the status shows", " ('reuseportctl status')" },
	{ "over another one", " (--over)" },
	{ "a map of CPUs is for", " (--cpu-map)" },
	{ "lies over hash", " (--over)" },
};

/* Of the command that runs; NULL: it is not known yet. */
static const struct options *given;

void hint_begin(const struct options *options)
{
	given = options;
}

const char *hint_for(const char *text)
{
	static char command[HINT_PLACE_MAX + 64];
	char place[HINT_PLACE_MAX];

	if (given && strstr(text, "begin one first")) {
		hint_place(given, place);
		snprintf(command, sizeof(command), " ('reuseportctl rollout%s begin')", place);
		return command;
	}
	/* Other commands have a --force that does something else, or none. */
	if (given && strcmp(given->command, "attach") && strstr(text, "force the attach")) {
		hint_place(given, place);
		snprintf(command, sizeof(command), " ('reuseportctl attach%s --force')", place);
		return command;
	}
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(text, hints[i].asks))
			return hints[i].hint;
	return "";
}

static void add_to_place(char place[HINT_PLACE_MAX], const char *option, const char *value)
{
	size_t len = strlen(place);

	if (value)
		snprintf(place + len, HINT_PLACE_MAX - len, " --%s %s", option, value);
}

void hint_place(const struct options *options, char place[HINT_PLACE_MAX])
{
	char port[8], uid[16];

	snprintf(port, sizeof(port), "%u", options->ports[0]);
	snprintf(uid, sizeof(uid), "%u", options->uid);
	*place = '\0';
	add_to_place(place, "port", port);
	add_to_place(place, "proto",
		     options->any_proto ? "any" :
		     options->proto     ? format_proto(options->proto) :
					  NULL);
	add_to_place(place, "addr", options->addr);
	add_to_place(place, "dev", options->dev);
	add_to_place(place, "netns", options->netns);
	add_to_place(place, "uid", options->has_uid ? uid : NULL);
}
