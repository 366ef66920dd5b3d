// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Features: test what the running kernel can do for this process. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"
#include "item_list.h"
#include "host/probes.h"

#define DISABLE_VARIABLE "REUSEPORT_DISABLE"
#define ENOTSUPP_KERNEL 524 /* the kernel's ENOTSUPP, for which libc has no name */

static const struct row {
	const char *name;
	const char *since; /* version of mainline Linux; distributions backport */
	const char *what;
	const char *without;
	unsigned int caps;                   /* of enum cap, that the probe needs */
	int (*probe)(const struct btf *btf); /* NULL: features_btf() is the probe */
	bool reads_btf; /* it needs the kernel's BTF, which takes long to load */
} rows[FEATURES] = {
	[FEATURE_BTF] = { "btf", "5.4",
			  "BTF (CONFIG_DEBUG_INFO_BTF, the file "
			  "/sys/kernel/btf/vmlinux)",
			  "nothing is steered", 0, NULL },
	[FEATURE_SK_REUSEPORT] = { "sk-reuseport", "4.19",
				   "BPF_PROG_TYPE_SK_REUSEPORT with "
				   "REUSEPORT_SOCKARRAY (CONFIG_BPF_SYSCALL)",
				   "nothing is steered", CAP_TO_LOAD, probe_sk_reuseport },
	[FEATURE_PROBE_READS] = { "probe-reads", "5.5", "bpf_probe_read_kernel()",
				  "nothing is steered", CAP_TO_LOAD | CAP_TO_READ,
				  probe_probe_reads },
	[FEATURE_PIDFD_GETFD] = { "pidfd-getfd", "5.6",
				  "pidfd_getfd(), to reach the sockets of "
				  "running servers",
				  "nothing is steered", 0, probe_pidfd_getfd },
	[FEATURE_MMAP] = { "mmap", "5.5", "mmapable maps (BPF_F_MMAPABLE)",
			   "tables are read and written by system calls", CAP_TO_LOAD, probe_mmap },
	[FEATURE_MIGRATION] = { "migration", "5.14", "the select-or-migrate attach type",
				"a listener that closes resets the connections in its queue: drain it first",
				CAP_TO_LOAD, probe_migration },
	[FEATURE_PLAIN_READS] = { "plain-reads", "6.2", "bpf_rdonly_cast()",
				  "the program reads the kernel's sockets by probe reads, which cost more",
				  CAP_TO_LOAD | CAP_TO_READ, probe_plain_reads, true },
	[FEATURE_RING_BUFFER] = { "ring-buffer", "5.8", "BPF ring buffers in arrays of maps",
				  "joins and leaves are found by polling", CAP_TO_LOAD,
				  probe_ring_buffer },
	[FEATURE_CGROUP2] = { "cgroup2", "4.5",
			      "a cgroup2 mount (mount -t cgroup2 none "
			      "/sys/fs/cgroup)",
			      "joins and leaves are found by polling", 0, probe_cgroup2 },
	[FEATURE_BIND_EVENTS] = { "bind-events", "5.9",
				  "cgroup programs at binds that stay by a pinned link "
				  "(post_bind4, post_bind6)",
				  "joins and leaves are found by polling",
				  CAP_TO_LOAD | CAP_TO_ATTACH | CAP_TO_READ, probe_bind_events },
	[FEATURE_ITERATORS] = { "iterators", "5.9", "socket iterators (iter/tcp, iter/udp)",
				"another tool's program on a group is not visible; groups are listed by sock_diag",
				CAP_TO_LOAD | CAP_TO_READ, probe_iterators, true },
	[FEATURE_TEST_RUN] = { "test-run", "5.10", "BPF_PROG_TEST_RUN of raw tracepoints",
			       "the handshakes that have begun cannot be counted; to wait for a "
			       "drained TCP worker is refused; SO_INCOMING_CPU of workers is not seen",
			       CAP_TO_LOAD | CAP_TO_READ, probe_test_run },
	[FEATURE_TICKS] = { "ticks", "5.5", "bpf_jiffies64()", "sticky flows are refused",
			    CAP_TO_LOAD, probe_ticks },
	[FEATURE_NETNS_COOKIE] = { "netns-cookie", "5.14", "SO_NETNS_COOKIE",
				   "a network namespace is identified by its inode alone, which the kernel may "
				   "reuse; binds to the port are told of all namespaces",
				   0, probe_netns_cookie },
	[FEATURE_DETACH] = { "detach", "5.3", "SO_DETACH_REUSEPORT_BPF", "detach is refused", 0,
			     probe_detach },
	[FEATURE_UDP_ITER_ORDER] = { "udp-iter-order", "6.6",
				     "iter/udp in the order of the "
				     "lookup by address",
				     "explain guesses the order of the UDP sockets on one address",
				     0, probe_udp_iter_order, true },
	[FEATURE_UDP_HASH4] = { "udp-hash4", "6.13",
				"a table of connected UDP sockets by both "
				"addresses and ports",
				"explain follows the lookup without that table", 0, probe_udp_hash4,
				true },
	[FEATURE_MEMCG] = { "memcg", "5.11",
			    "BPF memory that counts against the cgroup, not against RLIMIT_MEMLOCK",
			    "maps and programs count against RLIMIT_MEMLOCK", CAP_TO_LOAD,
			    probe_memcg },
};

#define NEEDED (FEATURE_PIDFD_GETFD + 1) /* nothing can be steered without these */

/* The result of one probe. */
struct probe_result {
	bool known;
	enum reuseport_feature_state state;
	int code; /* errno, 0 for none */
};

struct features {
	struct probe_result results[FEATURES];
	struct btf *btf;
	bool btf_tried;
	int btf_code;
};

/* ---------------------------------------------------------- REUSEPORT_DISABLE */

static const struct {
	const char *name;
	unsigned int features;
} feature_sets[] = {
	{ "events", 1u << FEATURE_RING_BUFFER | 1u << FEATURE_BIND_EVENTS },
};

/* Return the bits of the features that a word names; 0 for an unknown word. */
static unsigned int feature_bits(const char *word, size_t len)
{
	for (int i = 0; i < FEATURES; i++)
		if (strlen(rows[i].name) == len && !strncmp(rows[i].name, word, len))
			return 1u << i;
	for (size_t i = 0; i < sizeof(feature_sets) / sizeof(feature_sets[0]); i++)
		if (strlen(feature_sets[i].name) == len &&
		    !strncmp(feature_sets[i].name, word, len))
			return feature_sets[i].features;
	return 0;
}

static int refuse_word(const char *word, size_t len, struct reuseport_error *err)
{
	char names[512] = "events";
	size_t at = strlen(names);

	for (int i = 0; i < FEATURES; i++)
		at += snprintf(names + at, sizeof(names) - at, ", %s", rows[i].name);
	return fail(err, EINVAL, DISABLE_VARIABLE " names no feature by '%.*s': there are %s",
		    len > 32 ? 32 : (int)len, word, names);
}

static int read_disabled(unsigned int *disabled, struct reuseport_error *err)
{
	const char *at = getenv(DISABLE_VARIABLE);
	unsigned int bits;
	size_t len;

	*disabled = 0;
	while (at && *at) {
		len = strcspn(at, ",");
		bits = feature_bits(at, len);
		if (!bits)
			return refuse_word(at, len, err);
		*disabled |= bits;
		at += len + (at[len] == ',');
	}
	return 0;
}

int reuseport_disable_check(struct reuseport_error *err)
{
	unsigned int disabled;

	return read_disabled(&disabled, err);
}

int features_new(struct features **features, struct reuseport_error *err)
{
	struct features *made;
	unsigned int disabled;
	int ret = read_disabled(&disabled, err);

	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	if (!made)
		return fail(err, ENOMEM, "out of memory");
	for (int i = 0; i < FEATURES; i++)
		if (disabled & 1u << i)
			features_disable(made, i);
	*features = made;
	return 0;
}

void features_free(struct features *features)
{
	if (!features)
		return;
	btf__free(features->btf);
	free(features);
}

void features_disable(struct features *features, enum feature feature)
{
	features->results[feature] = (struct probe_result){
		.known = true,
		.state = REUSEPORT_FEATURE_DISABLED,
	};
}

bool features_disabled(const struct features *features, enum feature feature)
{
	return features->results[feature].state == REUSEPORT_FEATURE_DISABLED;
}

const char *features_name(enum feature feature)
{
	return rows[feature].name;
}

const char *features_without(enum feature feature)
{
	return rows[feature].without;
}

/* ------------------------------------------------------------------ probes */

struct btf *features_btf(struct features *features)
{
	if (features->btf_tried)
		return features->btf;
	features->btf_tried = true;
	libbpf_quiet_begin();
	features->btf = btf__load_vmlinux_btf();
	features->btf_code = features->btf ? 0 : -errno;
	libbpf_quiet_end();
	return features->btf;
}

/* Return whether that is the error of a kernel that does not know the feature. */
static bool is_unknown_feature(int code)
{
	switch (code) {
	case ENOSYS:
	case ENOENT:
	case ESRCH:
	case EINVAL:
	case EACCES: /* the verifier, for an unknown member of the context */
	case E2BIG:  /* bpf(), for an unknown attribute */
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENOTSUPP_KERNEL:
		return true;
	default:
		return false;
	}
}

/* Turn a probe's error into a state. To a process without the capability, kernels often
 * say that the feature is missing. */
static enum reuseport_feature_state state_of_probe(const struct row *row, int code)
{
	char names[128];

	if (!code)
		return REUSEPORT_FEATURE_AVAILABLE;
	if (code == EPERM || caps_missing(row->caps, names, sizeof(names)) > 0)
		return REUSEPORT_FEATURE_NOT_PERMITTED;
	return is_unknown_feature(code) ? REUSEPORT_FEATURE_MISSING : REUSEPORT_FEATURE_FAILED;
}

static const struct probe_result *run_probe(struct features *features, enum feature feature)
{
	struct probe_result *result = &features->results[feature];
	const struct row *row = &rows[feature];
	struct btf *btf = NULL;
	int ret = 0;

	if (result->known)
		return result;
	if (!row->probe || row->reads_btf) {
		btf = features_btf(features);
		ret = features->btf_code;
	}
	libbpf_quiet_begin();
	if (row->probe && !error_is_limit(ret))
		ret = row->probe(btf);
	libbpf_quiet_end();
	/* A limit says nothing of the feature: look again at the next question. */
	if (error_is_limit(features->btf_code))
		features->btf_tried = false;
	*result = (struct probe_result){ .known = !error_is_limit(ret),
					 .state = state_of_probe(row, -ret),
					 .code = -ret };
	return result;
}

bool features_have(struct features *features, enum feature feature)
{
	return run_probe(features, feature)->state == REUSEPORT_FEATURE_AVAILABLE;
}

/* ---------------------------------------------------------------- as errors */

int features_explain(struct features *features, enum feature feature, const char *what,
		     struct reuseport_error *err)
{
	const struct probe_result *result = run_probe(features, feature);
	const struct row *row = &rows[feature];
	char names[128] = "";

	switch (result->state) {
	case REUSEPORT_FEATURE_AVAILABLE:
		return 0;
	case REUSEPORT_FEATURE_MISSING:
		return fail(err, EOPNOTSUPP,
			    "cannot %s: this kernel has no %s, which needs Linux %s "
			    "or newer",
			    what, row->what, row->since);
	case REUSEPORT_FEATURE_DISABLED:
		return fail(err, EOPNOTSUPP,
			    "cannot %s: it needs %s, but " DISABLE_VARIABLE " turns off '%s'", what,
			    row->what, row->name);
	case REUSEPORT_FEATURE_NOT_PERMITTED:
		caps_missing(row->caps, names, sizeof(names));
		if (*names)
			return fail(err, EPERM,
				    "cannot %s: this process may not use %s without "
				    "%s: %s",
				    what, row->what, names, caps_advice());
		return fail(err, EPERM,
			    "cannot %s: this process may not use %s, although it has the "
			    "capabilities: check seccomp filters, security modules and "
			    "lockdown",
			    what, row->what);
	default:
		return fail(err, result->code, "cannot %s: a test of %s failed: %s", what,
			    row->what, strerror(result->code));
	}
}

int features_explain_needed(struct features *features, const char *what,
			    struct reuseport_error *err)
{
	int ret = 0;

	for (int i = 0; !ret && i < NEEDED; i++)
		ret = features_explain(features, i, what, err);
	return ret;
}

int features_refuse_disabled(struct features *features, const char *what,
			     struct reuseport_error *err)
{
	for (int i = 0; i < NEEDED; i++)
		if (features_disabled(features, i))
			return features_explain(features, i, what, err);
	return 0;
}

int features_allow(enum feature feature, const char *what, struct reuseport_error *err)
{
	struct features *features;
	int ret = features_new(&features, err);

	if (ret)
		return ret;
	if (features_disabled(features, feature))
		ret = features_explain(features, feature, what, err);
	features_free(features);
	return ret;
}

int features_blame(enum feature feature, int code, const char *what, struct reuseport_error *err)
{
	struct features *features;
	int ret = features_new(&features, err);

	if (ret)
		return ret;
	ret = features_explain(features, feature, what, err);
	features_free(features);
	return ret ? ret : fail(err, code, "cannot %s: %s", what, strerror(code));
}

/* ------------------------------------------------------------------- public */

const char *reuseport_feature_state_name(enum reuseport_feature_state state)
{
	static const char *const names[] = {
		[REUSEPORT_FEATURE_AVAILABLE] = "available",
		[REUSEPORT_FEATURE_MISSING] = "missing",
		[REUSEPORT_FEATURE_NOT_PERMITTED] = "not permitted",
		[REUSEPORT_FEATURE_FAILED] = "failed",
		[REUSEPORT_FEATURE_DISABLED] = "disabled",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] :
										  "unknown";
}

/* The public list. */
struct reuseport_feature_list {
	struct item_list items;
};

static void describe_feature(struct features *features, enum feature feature,
			     struct reuseport_feature *to)
{
	const struct probe_result *result = run_probe(features, feature);
	const struct row *row = &rows[feature];

	*to = (struct reuseport_feature){
		.name = row->name,
		.since = row->since,
		.what = row->what,
		.without = row->without,
		.needed = feature < NEEDED,
		.state = result->state,
		.code = result->code,
	};
	if (result->state == REUSEPORT_FEATURE_NOT_PERMITTED)
		caps_missing(row->caps, to->caps, sizeof(to->caps));
}

int reuseport_features(struct reuseport_feature_list **list, struct reuseport_error *err)
{
	struct reuseport_feature_list *made;
	struct features *features;
	int ret;

	if (!list)
		return fail(err, EINVAL, "features needs a place for the list");
	ret = features_new(&features, err);
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	for (int i = 0; made && !ret && i < FEATURES; i++) {
		struct reuseport_feature *feature = item_list_add(&made->items, sizeof(*feature));

		if (feature)
			describe_feature(features, i, feature);
		else
			ret = -ENOMEM;
	}
	features_free(features);
	if (!made || ret) {
		reuseport_feature_list__free(made);
		return fail(err, ENOMEM, "out of memory");
	}
	*list = made;
	return 0;
}

size_t reuseport_feature_list__count(const struct reuseport_feature_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_feature *
reuseport_feature_list__get(const struct reuseport_feature_list *list, size_t i)
{
	return list ? item_list_get(&list->items, i) : NULL;
}

void reuseport_feature_list__free(struct reuseport_feature_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, NULL);
	free(list);
}
