// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: does another group on the port take packets that a steered one would get? */
#include <netinet/in.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"

static bool is_wildcard(const struct reuseport_key *key)
{
	static const uint8_t zero[sizeof(key->addr)];

	return !memcmp(key->addr, zero, sizeof(zero));
}

/* Return which of the key's packets the other group gets, as text; NULL: none. */
static const char *what_it_takes(const struct reuseport_key *key, const struct reuseport_key *other)
{
	bool same_addr = key->family == other->family &&
			 !memcmp(key->addr, other->addr, sizeof(key->addr));

	if (key->proto != other->proto || key->port != other->port || key->netns != other->netns)
		return NULL;
	if (key->ifindex && key->ifindex != other->ifindex)
		return NULL;
	if (same_addr)
		return other->ifindex && !key->ifindex ? "those of its device" : NULL;
	if (!is_wildcard(key))
		return NULL;
	if (key->family == other->family)
		return "those to its address";
	if (key->family == AF_INET || key->v6only)
		return NULL;
	return is_wildcard(other) ? "all that are IPv4" : "those to its address";
}

void check_shadow(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_group_info *group;
	struct finding *finding;
	char text[GROUP_KEY_TEXT_LEN];
	const char *what;

	for (size_t i = 0; (group = reuseport_group_list__get(scene->groups, i)); i++) {
		what = what_it_takes(status->key, group->key);
		if (!what || group->own)
			continue;
		group_key_text(group->key, text, sizeof(text));
		finding = scene_find(scene, status, "shadowed", REUSEPORT_WARNING);
		finding_text(finding,
			     "The group %s, which is not steered, gets packets before "
			     "this one: %s.",
			     text, what);
		finding_words(finding, "other", text);
		finding_number(finding, "sockets", group->sockets);
		finding_number(finding, "uid", group->uid);
		/* It is the other one that has to be steered. */
		if (finding)
			finding->key = *group->key;
		mend_command(scene, finding, "attach", "%s", group->has_program ? "--force" : "");
		if (finding)
			finding->key = *status->key;
	}
}
