// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The lists of what is compared. */
#include "programs.h"

#define WORDS(...)                                                      \
	{                                                               \
		.sz = sizeof(struct reuseport_policy_opts), __VA_ARGS__ \
	}
#define LIST(list)                                   \
	{                                            \
		list, sizeof(list) / sizeof(*(list)) \
	}

static const struct contender policies[] = {
	[CONTENDER_EMPTY] = { "empty", "returns SK_PASS", .entries = 0 },
	[CONTENDER_BARE] = { "bare select", "select from the array, nothing counted",
			     .entries = 0 },
	[CONTENDER_OURS] = { "hash", "the kernel's pick, counted", WORDS(.policy = "hash") },
	{ "linux39", "walks all", WORDS(.policy = "linux39") },
	{ "consistent", "SipHash of the 4-tuple", WORDS(.policy = "consistent") },
	{ "consistent, key src", "SipHash of the source address",
	  WORDS(.policy = "consistent", .key = "src") },
	{ "weighted", "over hash, weights 1 to 4", WORDS(.policy = "weighted"), WEIGHTS_UNEQUAL },
	{ "weighted over consistent", "weights 1 to 4",
	  WORDS(.policy = "weighted", .over = "consistent"), WEIGHTS_UNEQUAL },
	{ "cpu", "all workers on the packet's CPU", WORDS(.policy = "cpu") },
	{ "numa", "all workers on the packet's node", WORDS(.policy = "numa") },
	{ "least-queue", "all looked at up to 8 workers, two above",
	  WORDS(.policy = "least-queue") },
	{ "random", "", WORDS(.policy = "random") },
	{ "round-robin", "", WORDS(.policy = "round-robin") },
	{ "hash, one at weight 0", "by a table", WORDS(.policy = "hash"), WEIGHTS_ONE_ZERO },
	{ "consistent, one has asked", "by a socket option, the plan is older",
	  WORDS(.policy = "consistent"), WEIGHTS_ONE_ASKED },
	{ "hash, probe reads", "as on kernels before 6.2", WORDS(.policy = "hash"),
	  .probe_reads = true },
	{ "consistent, probe reads", "as on kernels before 6.2", WORDS(.policy = "consistent"),
	  .probe_reads = true },
	{ "least-queue, probe reads", "as on kernels before 6.2", WORDS(.policy = "least-queue"),
	  .probe_reads = true },
};

const struct contenders every_policy = LIST(policies);
const struct contenders hash_only = { policies, CONTENDER_OURS + 1 };

static const struct contender sizes[] = {
	[CONTENDER_EMPTY] = { "empty", "returns SK_PASS", .entries = 0 },
	[CONTENDER_BARE] = { "bare select", "no table", .entries = 0 },
	[CONTENDER_OURS] = { "consistent, 131072", "256 KB", WORDS(.policy = "consistent"),
			     .entries = 131072 },
	{ "consistent, 1024", "2 KB", WORDS(.policy = "consistent"), .entries = 1024 },
	{ "consistent, 8192", "16 KB", WORDS(.policy = "consistent"), .entries = 8192 },
	{ "consistent, 1048576", "2 MB", WORDS(.policy = "consistent"), .entries = 1048576 },
};

const struct contenders table_sizes = LIST(sizes);

static const struct contender by_reads[] = {
	[CONTENDER_EMPTY] = { "empty", "returns SK_PASS", .entries = 0 },
	[CONTENDER_BARE] = { "bare select", "select from the array, nothing counted",
			     .entries = 0 },
	[CONTENDER_OURS] = { "hash", "in the kernel's best way", WORDS(.policy = "hash") },
	{ "least-queue", "in the kernel's best way", WORDS(.policy = "least-queue") },
	{ "hash, probe reads", "", WORDS(.policy = "hash"), .probe_reads = true },
	{ "least-queue, probe reads", "", WORDS(.policy = "least-queue"), .probe_reads = true },
};

const struct contenders kernel_reads = LIST(by_reads);

static const struct contender known[] = {
	[CONTENDER_EMPTY] = { "empty", "returns SK_PASS", .entries = 0 },
	[CONTENDER_BARE] = { "bare select", "select from the array, nothing counted",
			     .entries = 0 },
	[CONTENDER_OURS] = { "hash", "not sticky", WORDS(.policy = "hash") },
	{ "consistent", "not sticky", WORDS(.policy = "consistent") },
	{ "sticky, known flow", "found in the table", WORDS(.policy = "hash"), .flows = 65536 },
	{ "sticky, known flow, --idle", "and not idle", WORDS(.policy = "hash"), .flows = 65536,
	  .idle_s = 60 },
};

const struct contenders sticky_known = LIST(known);

static const struct contender fresh[] = {
	[CONTENDER_EMPTY] = { "empty", "returns SK_PASS", .entries = 0 },
	[CONTENDER_BARE] = { "bare select", "select from the array, nothing counted",
			     .entries = 0 },
	[CONTENDER_OURS] = { "hash", "not sticky", WORDS(.policy = "hash") },
	{ "sticky, new flow", "there is room", WORDS(.policy = "hash"), .flows = 4194304 },
	{ "sticky, new flow, table full", "another is evicted", WORDS(.policy = "hash"),
	  .flows = 65536 },
	{ "sticky, new flow, small table full", "likewise", WORDS(.policy = "hash"),
	  .flows = 1024 },
};

const struct contenders sticky_new = LIST(fresh);
