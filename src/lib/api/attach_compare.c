// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_attach_compare(): whether what is attached is what an attach asks for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/caps.h"
#include "opts.h"
#include "policy/limits.h"
#include "policy/policy.h"
#include "sockets/group_key.h"
#include "state/attachment.h"
#include "state/flow_table.h"
#include "state/kept.h"
#include "state/pin_owner.h"

/* Note a difference, unless there is one already. */
static void compare_note(struct reuseport_attach_difference *found, const char *option,
			 bool by_policy, const char *is, const char *wanted)
{
	if (found->differs)
		return;
	found->differs = true;
	found->by_policy = by_policy;
	snprintf(found->option, sizeof(found->option), "%s", option);
	snprintf(found->is, sizeof(found->is), "%s", is);
	snprintf(found->wanted, sizeof(found->wanted), "%s", wanted);
}

static void compare_number(struct reuseport_attach_difference *found, const char *option,
			   unsigned int is, unsigned int wanted)
{
	char a[16], b[16];

	snprintf(a, sizeof(a), "%u", is);
	snprintf(b, sizeof(b), "%u", wanted);
	if (is != wanted)
		compare_note(found, option, false, a, b);
}

/* ------------------------------------------------------------------- policy */

static void compare_key(struct reuseport_attach_difference *found, const struct plan *is,
			const struct plan *wanted)
{
	char a[POLICY_KEY_LEN], b[POLICY_KEY_LEN];

	policy_key_text(is, a);
	policy_key_text(wanted, b);
	if (strcmp(a, b))
		compare_note(found, "key", true, a, b);
}

static void compare_hash_key(struct reuseport_attach_difference *found, const struct plan *is,
			     const char *wanted)
{
	char text[POLICY_HASH_KEY_LEN] = "none";

	if (is->flags & PLAN_OWN_HASH)
		policy_hash_key_text(is, text);
	/* It is a secret. */
	if (strcasecmp(text, wanted))
		compare_note(found, "hash_key", true, "another", "this one");
}

static int compare_cpu_map(struct reuseport_attach_difference *found, const struct attachment *at,
			   const struct plan *is, const char *wanted, struct reuseport_error *err)
{
	const struct steering_size *size = &at->view.size;
	struct given_cpu *map = calloc(size->cpus, sizeof(*map));
	int ret;

	if (!map)
		return fail(err, ENOMEM, "out of memory");
	ret = policy_read_map(wanted, map, size->cpus, size->slots, err);
	if (!ret && !(is->flags & PLAN_GIVEN_CPUS))
		compare_note(found, "cpu_map", true, "none", wanted);
	else if (!ret && memcmp(map, at->view.cpu_map, size->cpus * sizeof(*map)))
		compare_note(found, "cpu_map", true, "another", wanted);
	free(map);
	return ret;
}

static int compare_policy(struct reuseport_attach_difference *found, const struct attachment *at,
			  const struct reuseport_policy_opts *words, struct reuseport_error *err)
{
	const struct plan is = *plan_in_use(&at->view);
	struct policy_choice wanted;
	bool over;
	int ret;

	if (!words->policy && !words->over && !words->key && !words->hash_key && !words->cpu_map)
		return 0;
	ret = policy_choose(words, &is, &wanted, err);
	if (ret)
		return ret;
	if (words->policy && is.policy != wanted.plan.policy)
		compare_note(found, "policy", true, policy_name(is.policy), words->policy);
	over = is.flags & PLAN_OVER_CONSISTENT;
	if (words->over && over != !!(wanted.plan.flags & PLAN_OVER_CONSISTENT))
		compare_note(found, "over", true, over ? "consistent" : "hash", words->over);
	if (words->key)
		compare_key(found, &is, &wanted.plan);
	if (words->hash_key)
		compare_hash_key(found, &is, words->hash_key);
	return words->cpu_map && !found->differs ?
		       compare_cpu_map(found, at, &is, words->cpu_map, err) :
		       0;
}

/* --------------------------------------------------------------------- others */

static void compare_others(struct reuseport_attach_difference *found, const struct attachment *at,
			   const struct reuseport_attach_opts *opts)
{
	const struct attachment_entry *entry = &at->entry;
	bool manual = plan_in_use(&at->view)->flags & PLAN_ADMIT_MANUAL;

	if (opts->admit && manual != !strcmp(opts->admit, "manual"))
		compare_note(found, "admit", false, manual ? "manual" : "auto", opts->admit);
	if (opts->slots)
		compare_number(found, "slots", entry->slots, opts->slots);
	if (opts->table_entries)
		compare_number(found, "table_entries", entry->table_entries, opts->table_entries);
	if (opts->flows)
		compare_number(found, "flows", entry->flows, limits_flows_rounded(opts->flows));
	if (opts->idle_s)
		compare_number(found, "idle_s", entry->idle_ticks / flow_table_hz(), opts->idle_s);
	/* reuseport_attach_partial() notes the other wish that is kept in the pins. */
	if (opts->keep_weights && !entry->keep_weights)
		compare_note(found, "keep_weights", false, "off", "on");
	if (opts->no_sockopt && !entry->no_sockopt)
		compare_note(found, "no_sockopt", false, "off", "on");
	/* A process that keeps its own group has its own log. */
	if (opts->log_file && !entry->own_keeper && strcmp(opts->log_file, entry->log))
		compare_note(found, "log_file", false, *entry->log ? entry->log : "none",
			     opts->log_file);
}

static int compare_opened(struct attachment *at, const struct reuseport_attach_opts *opts,
			  struct reuseport_attach_difference *found, struct reuseport_error *err)
{
	const struct reuseport_policy_opts words = policy_words_of_attach(opts);
	int ret;

	found->keeper_pid = at->entry.keeper_pid;
	snprintf(found->pin, sizeof(found->pin), "%s", at->pin);
	ret = compare_policy(found, at, &words, err);
	if (ret)
		return ret;
	compare_others(found, at, opts);
	for (unsigned int slot = 0; slot < at->entry.slots; slot++)
		found->workers += attachment_has_worker(at, slot);
	return 1;
}

/* Return whether it is of an earlier namespace, which had the same inode. */
static bool compare_is_of_earlier_netns(const struct attachment *at)
{
	return at->key.netns_cookie && at->entry.netns_cookie &&
	       at->key.netns_cookie != at->entry.netns_cookie;
}

int reuseport_attach_compare(const struct reuseport_key *from_key,
			     const struct reuseport_attach_opts *from,
			     struct reuseport_attach_difference *difference,
			     struct reuseport_error *err)
{
	struct reuseport_attach_opts opts = { .sz = sizeof(opts) };
	struct reuseport_attach_difference found = { .sz = sizeof(found) };
	struct attachment at;
	struct reuseport_key key;
	int ret = group_key_copy(&key, from_key, err);

	if (!ret)
		ret = opts_copy(&opts, from, err);
	if (!ret && (!difference || difference->sz < sizeof(difference->sz)))
		ret = fail(err, EINVAL, "a place for the difference is missing, or its sz");
	if (!ret)
		ret = caps_require("attach", err);
	if (ret)
		return ret;
	attachment_init(&at, &key);
	at.dir = pin_owner_open(&key, at.pin, sizeof(at.pin), err);
	ret = at.dir == -ENOENT ? 0 : at.dir < 0 ? at.dir : kept_by_process(at.dir);
	/* What is damaged, being made or of another namespace is for the attach to find. */
	if (ret == 1 && !attachment_open_pins(&at, NULL) && !compare_is_of_earlier_netns(&at) &&
	    !attachment_map(&at, NULL))
		ret = compare_opened(&at, &opts, &found, err);
	else if (ret == 1)
		ret = 0;
	attachment_close(&at);
	if (ret > 0) {
		found.sz = difference->sz;
		memcpy(difference, &found, found.sz < sizeof(found) ? found.sz : sizeof(found));
	}
	return ret;
}
