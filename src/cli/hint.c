// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hints: the option or command that does what a message of the library asks for. The
 * library speaks of operations, since programs without these options use it, too. */
#include <string.h>

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
	{ "name the uid", " (--uid UID)" },
	{ "name the network namespace", " (--netns NAME)" },
	{ "or wait for it", " (--wait)" },
	{ "protocol udp", " (--proto udp)" },
	{ "protocol tcp", " (--proto tcp)" },
	{ "name the device", " (--dev DEV)" },
	{ "begin one first", " ('reuseportctl rollout --port N begin')" },
	{ "the status shows", " ('reuseportctl status')" },
	{ "over another one", " (--over)" },
	{ "a map of CPUs is for", " (--cpu-map)" },
	{ "lies over hash", " (--over)" },
};

const char *hint_for(const char *text)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(text, hints[i].asks))
			return hints[i].hint;
	return "";
}
