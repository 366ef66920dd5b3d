// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach options: whether they are valid. */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "keeper/attach_opts.h"
#include "opts.h"
#include "policy/limits.h"
#include "policy/policy.h"

int attach_check_opts(const struct reuseport_attach_opts *from, struct reuseport_attach_opts *opts,
		      struct reuseport_error *err)
{
	struct reuseport_policy_opts words;
	int ret;

	*opts = (struct reuseport_attach_opts){ .sz = sizeof(*opts) };
	ret = opts_copy(opts, from, err);
	if (ret)
		return ret;
	if (opts->slots > REUSEPORT_SLOTS_MAX)
		return fail(err, EINVAL, "%u slots are out of range: 1 to %u", opts->slots,
			    REUSEPORT_SLOTS_MAX);
	if (opts->table_entries && !limits_table_valid(opts->table_entries))
		return fail(err, EINVAL,
			    "%u table entries are out of range: a power of two, %u to %u",
			    opts->table_entries, REUSEPORT_TABLE_MIN, REUSEPORT_TABLE_MAX);
	if (opts->flows && !limits_flows_valid(opts->flows))
		return fail(err, EINVAL, "%u sticky flows are out of range: %u to %u", opts->flows,
			    REUSEPORT_FLOWS_MIN, REUSEPORT_FLOWS_MAX);
	if (opts->idle_s > REUSEPORT_IDLE_MAX)
		return fail(err, EINVAL, "an idle time of %u s is out of range: 0 to %u",
			    opts->idle_s, REUSEPORT_IDLE_MAX);
	if (opts->events > REUSEPORT_EVENTS_MAX)
		return fail(err, EINVAL, "room for %u events is out of range: 0 to %u",
			    opts->events, REUSEPORT_EVENTS_MAX);
	if (opts->idle_s && !opts->flows)
		return fail(err, EINVAL, "an idle time is for sticky flows only");
	if (opts->admit && strcmp(opts->admit, "auto") && strcmp(opts->admit, "manual"))
		return fail(err, EINVAL, "admit '%.32s' is neither auto nor manual", opts->admit);
	if (opts->wait_ready && (!opts->admit || strcmp(opts->admit, "manual")))
		return fail(err, EINVAL, "members can wait to be ready under admit manual only");
	if (opts->wait_ready && opts->no_sockopt)
		return fail(err, EINVAL,
			    "members cannot say that they are ready without socket options");
	if (opts->log_file &&
	    (*opts->log_file != '/' || strlen(opts->log_file) >= REUSEPORT_LOG_LEN))
		return fail(err, EINVAL, "the log '%.64s' is no absolute path of at most %d bytes",
			    opts->log_file, REUSEPORT_LOG_LEN - 1);
	words = policy_words_of_attach(opts);
	return reuseport_policy_check(&words, err);
}
