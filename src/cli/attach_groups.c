// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach groups: one handle for each group that is to be steered. */
#include <stdlib.h>

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

static int attach_each(struct attach_results *all, const struct reuseport_attach_opts *opts)
{
	struct reuseport_error error;

	for (size_t i = 0; i < all->n; i++) {
		struct attach_result *result = &all->list[i];

		if (result->error.code ||
		    !reuseport_attach(result->key, opts, &result->group, &error))
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
		if (all->list[i].group)
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
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].group)
			groups->list[groups->n++] = all->list[i].group;
	return EXIT_DONE;
}

int attach_groups_make(struct attach_groups *groups, const struct reuseport_key_list *keys,
		       const struct reuseport_attach_opts *opts)
{
	struct attach_results all = { .n = reuseport_key_list__count(keys) };
	int status;

	*groups = (struct attach_groups){ 0 };
	all.list = calloc(all.n, sizeof(*all.list));
	if (!all.list)
		return exit_no_memory();
	for (size_t i = 0; i < all.n; i++)
		all.list[i].key = reuseport_key_list__get(keys, i);
	status = attach_each(&all, opts);
	if (status == EXIT_DONE)
		status = report_left_out(&all);
	if (status == EXIT_DONE)
		status = collect_attached(groups, &all);
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
