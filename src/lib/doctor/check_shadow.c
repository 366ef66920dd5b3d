// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: do other sockets on the port take packets that a steered group would get? */
#include <netinet/in.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"

/* Return which of the key's packets the other sockets get, as text. */
static const char *what_it_takes(const struct reuseport_key *key, const struct reuseport_key *other)
{
	static const uint8_t zero[sizeof(key->addr)];
	bool wildcard = !memcmp(other->addr, zero, sizeof(zero));

	if (other->ifindex && !key->ifindex)
		return "those of its device";
	if (memcmp(key->addr, other->addr, sizeof(key->addr)))
		return "those to its address";
	if (key->family == other->family)
		return "it is before this one in the kernel's list";
	return wildcard ? "all that are IPv4" : "those to its address";
}

static void find_shadow(struct scene *scene, const struct reuseport_status *status,
			const struct reuseport_key *key, const struct reuseport_group_info *group)
{
	struct finding *finding = scene_find(scene, status, "shadowed", REUSEPORT_WARNING);
	char text[GROUP_KEY_TEXT_LEN];

	group_key_text(key, text, sizeof(text));
	finding_text(finding, "The %s %s, which %s not steered, %s packets before this one: %s.",
		     group ? "group" : "sockets at", text, group ? "is" : "are",
		     group ? "gets" : "get", what_it_takes(status->key, key));
	finding_words(finding, "other", text);
	if (!group)
		return;
	finding_number(finding, "sockets", group->sockets);
	finding_number(finding, "uid", group->uid);
	/* It is the other one that has to be steered. */
	if (finding)
		finding->key = *key;
	mend_command(scene, finding, "attach", "%s", group->has_program ? "--force" : "");
	if (finding)
		finding->key = *status->key;
}

void check_shadow(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_listed *listed = scene_group_of(scene, status->key), *other;

	for (size_t i = 0; listed && i < listed->n_shadowed_by; i++) {
		const struct reuseport_key *key = listed->shadowed_by[i];

		other = scene_group_of(scene, key);
		if (!other || !other->group->own)
			find_shadow(scene, status, key, other ? other->group : NULL);
	}
}
