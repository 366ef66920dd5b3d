// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach groups: one handle for each group that is to be steered. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach_groups.h"
#include "exit.h"
#include "format.h"
#include "hint.h"
#include "message.h"

/* What became of the group with one key. */
struct attach_result {
	const struct reuseport_key *key;
	struct reuseport_group *group; /* NULL: not attached (yet) */
	struct reuseport_error error; /* why its user's groups are left out; code 0: they are not */
	bool steered;                 /* already, with the options that were given */
	bool mended;                  /* but the group had lost the program */
};

struct attach_results {
	struct attach_result *list;
	size_t n;
};

/* Return whether the groups of the key's user may be left out. A stranger's must not decide
 * for the server's, and root is not a stranger. */
static bool may_leave_out(const struct attach_results *all, const struct reuseport_key *key)
{
	bool others = false;

	for (size_t i = 0; i < all->n; i++)
		others |= all->list[i].key->uid != key->uid;
	return others && key->has_uid && key->uid;
}

/* Detach what this command has attached, but only release what it has adopted. */
static void undo_attach(struct attach_result *result)
{
	struct reuseport_error error;

	if (!result->group)
		return;
	if (!reuseport_group__adopted(result->group) &&
	    reuseport_group__detach(result->group, &error))
		exit_failed(&error);
	reuseport_group__free(result->group);
	result->group = NULL;
}

static void leave_out_user(struct attach_results *all, uint32_t uid,
			   const struct reuseport_error *error)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->list[i].key->uid != uid)
			continue;
		undo_attach(&all->list[i]);
		all->list[i].error = *error;
	}
}

/* Return whether the group is steered and kept already, with these options. */
static bool is_steered_so(const struct reuseport_key *key, const struct reuseport_attach_opts *opts)
{
	REUSEPORT_OPTS(reuseport_attach_difference, found);

	return reuseport_attach_compare(key, opts, &found, NULL) > 0 && !found.differs;
}

static int attach_each(struct attach_results *all, const struct reuseport_attach_opts *opts)
{
	struct reuseport_error error;
	int ret;

	for (size_t i = 0; i < all->n; i++) {
		struct attach_result *result = &all->list[i];

		if (result->error.code || result->steered)
			continue;
		ret = reuseport_attach(result->key, opts, &result->group, &error);
		/* Another process has been faster. */
		if (ret == -EBUSY && opts->for_keeper)
			result->steered = is_steered_so(result->key, opts);
		if (!ret || result->steered)
			continue;
		if (may_leave_out(all, result->key)) {
			leave_out_user(all, result->key->uid, &error);
			continue;
		}
		for (size_t k = 0; k < i; k++)
			undo_attach(&all->list[k]);
		return exit_failed(&error);
	}
	return EXIT_DONE;
}

/* Report whose groups are left out. Return EXIT_DONE if others are steered. */
static int report_left_out(const struct attach_results *all)
{
	int status = EXIT_FAILED, failed = EXIT_FAILED;

	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].group || all->list[i].steered)
			status = EXIT_DONE;
	for (size_t i = 0; i < all->n; i++) {
		const struct attach_result *result = &all->list[i];
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= all->list[k].key->uid != result->key->uid;
		if (!result->error.code || !first)
			continue;
		if (status != EXIT_DONE)
			failed = exit_failed(&result->error);
		else
			message("left out the groups of uid %u: %s%s", result->key->uid,
				result->error.text, hint_for(result->error.text));
	}
	return status == EXIT_DONE ? EXIT_DONE : failed;
}

static int collect_attached(struct attach_groups *groups, const struct attach_results *all)
{
	groups->list = calloc(all->n, sizeof(*groups->list));
	if (!groups->list)
		return exit_no_memory();
	for (size_t i = 0; i < all->n; i++) {
		groups->steered |= all->list[i].steered;
		if (!all->list[i].group)
			continue;
		groups->steered |= reuseport_group__adopted(all->list[i].group);
		groups->list[groups->n++] = all->list[i].group;
	}
	return EXIT_DONE;
}

/* ------------------------------------------------------------ steered already */

static void report_steered(const struct reuseport_key *key, bool mended,
			   const struct reuseport_attach_difference *found)
{
	char endpoint[FORMAT_ENDPOINT_MAX];

	format_endpoint(key, endpoint);
	printf("%s %s: %s, %u worker%s; keeper %u; pins in ", format_proto(key->proto), endpoint,
	       mended ? "had lost the program, which was put back" : "is steered already",
	       found->workers, found->workers == 1 ? "" : "s", found->keeper_pid);
	format_print(found->pin);
	putchar('\n');
}

/* Return the name of the option for a member of the library's options. */
static const char *option_name(const char *member)
{
	static const struct {
		const char *member, *option;
	} names[] = {
		{ "hash_key", "hash-key" },     { "cpu_map", "cpu-map" },
		{ "table_entries", "table" },   { "idle_s", "idle" },
		{ "log_file", "log" },          { "keep_weights", "keep-weights" },
		{ "no_sockopt", "no-sockopt" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].member, member))
			return names[i].option;
	return member;
}

static int report_different(const struct options *options, const struct reuseport_key *key,
			    const struct reuseport_attach_difference *found)
{
	char endpoint[FORMAT_ENDPOINT_MAX], place[HINT_PLACE_MAX], change[HINT_PLACE_MAX + 128];
	const char *option = option_name(found->option);

	format_endpoint(key, endpoint);
	hint_place(options, place);
	if (!found->by_policy)
		snprintf(change, sizeof(change), "'reuseportctl detach%s', then attach again",
			 place);
	else if (!strcmp(option, "policy"))
		snprintf(change, sizeof(change), "'reuseportctl policy%s %s'", place,
			 found->wanted);
	else
		snprintf(change, sizeof(change), "'reuseportctl policy%s POLICY --%s ...'", place,
			 option);
	message("%s %s is steered already, its keeper is process %u, with --%s %s instead of %s: "
		"nothing was changed; to change it: %s",
		format_proto(key->proto), endpoint, found->keeper_pid, option, found->is,
		found->wanted, change);
	return EXIT_FAILED;
}

/* See which groups are steered already. Fail if one of them has other options. */
static int find_steered(struct attach_results *all, const struct options *options,
			const struct reuseport_attach_opts *opts)
{
	REUSEPORT_OPTS(reuseport_attach_difference, found);
	struct reuseport_error error;
	int ret;

	for (size_t i = 0; i < all->n; i++) {
		const struct reuseport_key *key = all->list[i].key;

		ret = reuseport_attach_compare(key, opts, &found, &error);
		if (ret < 0)
			return exit_failed(&error);
		if (ret && found.differs)
			return report_different(options, key, &found);
		all->list[i].steered = ret;
	}
	return EXIT_DONE;
}

/* That it is pinned is not that the kernel has it: put the program back where it is lost. And
 * note that members may be left out. */
static int mend_steered(struct attach_results *all, const struct reuseport_attach_opts *opts)
{
	struct reuseport_error error;
	int ret;

	for (size_t i = 0; i < all->n; i++) {
		if (!all->list[i].steered)
			continue;
		ret = reuseport_attach_mend(all->list[i].key, opts->force, &error);
		if (ret < 0)
			return exit_failed(&error);
		all->list[i].mended = ret;
		ret = opts->partial ? reuseport_attach_partial(all->list[i].key, &error) : 0;
		if (ret < 0)
			return exit_failed(&error);
	}
	return EXIT_DONE;
}

static void report_all_steered(const struct attach_results *all,
			       const struct reuseport_attach_opts *opts)
{
	REUSEPORT_OPTS(reuseport_attach_difference, found);

	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].steered &&
		    reuseport_attach_compare(all->list[i].key, opts, &found, NULL) > 0)
			report_steered(all->list[i].key, all->list[i].mended, &found);
}

/* ------------------------------------------------------------------------- all */

int attach_groups_make(struct attach_groups *groups, const struct reuseport_key_list *keys,
		       const struct options *options, const struct reuseport_attach_opts *opts)
{
	struct attach_results all = { .n = reuseport_key_list__count(keys) };
	int status;

	*groups = (struct attach_groups){ 0 };
	all.list = calloc(all.n, sizeof(*all.list));
	if (!all.list)
		return exit_no_memory();
	for (size_t i = 0; i < all.n; i++)
		all.list[i].key = reuseport_key_list__get(keys, i);
	/* A process that keeps its own groups may get them back from the host's keeper. */
	status = options->foreground ? EXIT_DONE : find_steered(&all, options, opts);
	if (status == EXIT_DONE)
		status = mend_steered(&all, opts);
	if (status == EXIT_DONE)
		status = attach_each(&all, opts);
	if (status == EXIT_DONE)
		status = report_left_out(&all);
	if (status == EXIT_DONE)
		status = collect_attached(groups, &all);
	if (status == EXIT_DONE)
		report_all_steered(&all, opts);
	for (size_t i = 0; status != EXIT_DONE && i < all.n; i++)
		undo_attach(&all.list[i]);
	free(all.list);
	return status;
}

void attach_groups_free(struct attach_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		reuseport_group__free(groups->list[i]);
	free(groups->list);
	*groups = (struct attach_groups){ 0 };
}
