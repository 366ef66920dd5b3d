// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Policies: turn names and options, as words, into a plan and back. */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "decide/chain.h"
#include "error.h"
#include "host/topology.h"
#include "opts.h"
#include "policy/policy.h"

static const struct reuseport_policy policies[] = {
	[POLICY_HASH] = { "hash", "the kernel's own pick since Linux 4.5, made visible" },
	[POLICY_LINUX39] = { "linux39", "the walk of Linux 3.9 over the kernel's group: "
					"an equal share to each" },
	[POLICY_CONSISTENT] = { "consistent", "a key keeps its worker while others join and "
					      "leave; shares by weight" },
	[POLICY_WEIGHTED] = { "weighted", "exact shares by weight, over a plain hash or over "
					  "consistent" },
	[POLICY_CPU] = { "cpu", "the worker on the CPU where the packet arrived; else one on its "
				"node, else any" },
	[POLICY_NUMA] = { "numa", "a worker on the NUMA node where the packet arrived; else any" },
	[POLICY_LEAST_QUEUE] = { "least-queue", "the worker whose accept queue (TCP) or receive "
						"queue (UDP) is shortest" },
	[POLICY_RANDOM] = { "random", "a random worker for each packet; shares by weight" },
	[POLICY_ROUND_ROBIN] = { "round-robin", "the workers in turn, on each CPU; shares "
						"by weight" },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

const struct reuseport_policy *reuseport_policy_at(size_t i)
{
	return i < sizeof(policies) / sizeof(policies[0]) ? &policies[i] : NULL;
}

const char *policy_name(unsigned int policy)
{
	return policy < N_POLICIES ? policies[policy].name : "unknown";
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Return Levenshtein's edit distance, whatever the case, by rows (Wagner and Fischer, 1974). */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64], len = strlen(b), diagonal, above;

	if (len >= 64)
		return len;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			above = row[j + 1];
			row[j + 1] = min3(above + 1, row[j] + 1,
					  diagonal + (tolower((unsigned char)a[i]) !=
						      tolower((unsigned char)b[j])));
			diagonal = above;
		}
	}
	return row[len];
}

/* Return the policy that was meant: the nearest, if it is near, or one that begins so. NULL: a
 * guess would be a bad one. */
static const char *policy_meant(const char *name)
{
	const char *nearest = policies[0].name;
	size_t len = strlen(name);

	for (size_t i = 0; i < N_POLICIES; i++)
		if (edit_distance(name, policies[i].name) < edit_distance(name, nearest))
			nearest = policies[i].name;
	if (len > 1 && edit_distance(name, nearest) <= 2)
		return nearest;
	for (size_t i = 0; i < N_POLICIES; i++)
		if (len && !strncmp(name, policies[i].name, len))
			return policies[i].name;
	return NULL;
}

/* Return the policy's number, or -EINVAL. */
static int find_policy(const char *name, struct reuseport_error *err)
{
	const char *meant = policy_meant(name);
	char all[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < N_POLICIES; i++) {
		if (!strcmp(name, policies[i].name))
			return i;
		len += snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "",
				policies[i].name);
	}
	if (!meant)
		return fail(err, EINVAL, "unknown policy '%.32s'. Policies: %s", name, all);
	return fail(err, EINVAL, "unknown policy '%.32s': did you mean '%s'? Policies: %s", name,
		    meant, all);
}

/* ---------------------------------------------------------------- the words */

static bool read_bits(const char **at, unsigned long most, unsigned long *bits)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*bits = strtoul(*at, &end, 10);
	*at = end;
	return *bits >= 1 && *bits <= most;
}

/* Read "LEN" or "LEN4,LEN6". One length is for both families, for IPv4 32 at most. */
static bool read_prefix(const char *text, struct plan *plan)
{
	unsigned long bits, bits6;

	if (!read_bits(&text, 128, &bits))
		return false;
	bits6 = bits;
	if (*text == ',') {
		text++;
		if (bits > 32 || !read_bits(&text, 128, &bits6))
			return false;
	}
	plan->key = KEY_SRC_PREFIX;
	plan->prefix4 = bits < 32 ? bits : 32;
	plan->prefix6 = bits6;
	return !*text;
}

static int read_key(const char *text, struct plan *plan, struct reuseport_error *err)
{
	static const char prefix[] = "src-prefix/";

	if (!strcmp(text, "tuple"))
		plan->key = KEY_TUPLE;
	else if (!strcmp(text, "src"))
		plan->key = KEY_SRC;
	else if (!strcmp(text, "dst"))
		plan->key = KEY_DST;
	else if (strncmp(text, prefix, sizeof(prefix) - 1))
		return fail(err, EINVAL,
			    "unknown key '%.32s': it must be tuple, src, src-prefix/LEN "
			    "or dst",
			    text);
	else if (!read_prefix(text + sizeof(prefix) - 1, plan))
		return fail(err, EINVAL,
			    "'%.32s' is not a prefix: it must be src-prefix/LEN with 1 to 128 "
			    "bits, or src-prefix/LEN4,LEN6 with 1 to 32 and 1 to 128",
			    text);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_hash_key(const char *text, struct plan *plan, struct reuseport_error *err)
{
	unsigned char bytes[16];
	uint64_t words[2];

	for (int i = 0; i < 16; i++) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0)
			return fail(err, EINVAL, "a hash key has 32 hexadecimal digits");
		bytes[i] = high << 4 | low;
		text += 2;
	}
	if (*text)
		return fail(err, EINVAL, "a hash key has 32 hexadecimal digits");
	memcpy(words, bytes, sizeof(words));
	plan->hash_key[0] = le64toh(words[0]);
	plan->hash_key[1] = le64toh(words[1]);
	return 0;
}

static int read_over(const char *text, struct plan *plan, struct reuseport_error *err)
{
	if (plan->policy != POLICY_WEIGHTED)
		return fail(err, EINVAL, "only policy weighted can lie over another one, not %s",
			    policy_name(plan->policy));
	if (!strcmp(text, "consistent"))
		plan->flags |= PLAN_OVER_CONSISTENT;
	else if (strcmp(text, "hash"))
		return fail(err, EINVAL,
			    "policy weighted lies over hash or consistent, not over "
			    "'%.32s'",
			    text);
	return 0;
}

/* ---------------------------------------------------------------- the choice */

/* Keep the present hash key, or make a random one. */
static int make_hash_key(struct plan *plan, const struct plan *present, struct reuseport_error *err)
{
	if (present &&
	    ((present->flags & PLAN_OWN_HASH) || present->hash_key[0] || present->hash_key[1])) {
		memcpy(plan->hash_key, present->hash_key, sizeof(plan->hash_key));
		return 0;
	}
	if (getrandom(plan->hash_key, sizeof(plan->hash_key), 0) != sizeof(plan->hash_key))
		return fail(err, errno, "cannot get random bytes for a hash key: %s",
			    strerror(errno));
	return 0;
}

/* Refuse words that have no effect with this policy: the caller expects one. */
static int check_policy_words(const struct reuseport_policy_opts *words, const struct plan *plan,
			      struct reuseport_error *err)
{
	bool hashes = plan->policy != POLICY_RANDOM && plan->policy != POLICY_ROUND_ROBIN;
	bool places = chain_by_place(plan->policy);

	if (!hashes && (words->key || words->hash_key))
		return fail(err, EINVAL, "policy %s hashes nothing: a %s has no meaning for it",
			    policy_name(plan->policy), words->key ? "key" : "hash key");
	if (!places && words->cpu_map)
		return fail(err, EINVAL,
			    "a map of CPUs is for the policies cpu and numa, not for %s",
			    policy_name(plan->policy));
	return 0;
}

int policy_choose(const struct reuseport_policy_opts *words, const struct plan *present,
		  struct policy_choice *choice, struct reuseport_error *err)
{
	struct plan plan = { .prefix4 = 32, .prefix6 = 128 };
	int ret = words->policy ? find_policy(words->policy, err) :
		  present       ? (int)present->policy :
				  POLICY_HASH;

	if (ret < 0)
		return ret;
	plan.policy = ret;
	ret = check_policy_words(words, &plan, err);
	if (!ret && words->key)
		ret = read_key(words->key, &plan, err);
	if (!ret && words->over)
		ret = read_over(words->over, &plan, err);
	if (!ret)
		ret = words->hash_key ? read_hash_key(words->hash_key, &plan, err) :
					make_hash_key(&plan, present, err);
	if (ret)
		return ret;
	if (plan.policy == POLICY_CONSISTENT || plan.key != KEY_TUPLE || words->hash_key ||
	    (plan.flags & PLAN_OVER_CONSISTENT))
		plan.flags |= PLAN_OWN_HASH;
	if (words->cpu_map)
		plan.flags |= PLAN_GIVEN_CPUS;
	if (present)
		plan.flags |= present->flags & PLAN_ADMIT_MANUAL;
	*choice = (struct policy_choice){ .plan = plan, .cpu_map = words->cpu_map };
	return 0;
}

int policy_read_map(const char *text, struct given_cpu *cpus, unsigned int n_cpus,
		    unsigned int slots, struct reuseport_error *err)
{
	unsigned long slot;
	struct cpus set;
	char *end;

	for (;; text++) {
		if (cpus_parse(text, &text, &set) || *text++ != ':' || *text < '0' || *text > '9')
			return fail(err, EINVAL,
				    "a map of CPUs must be CPUS:SLOT,CPUS:SLOT..., such as "
				    "0-3:0,4-7:1");
		slot = strtoul(text, &end, 10);
		text = end;
		if (slot >= slots)
			return fail(err, EINVAL,
				    "slot %lu in the map of CPUs is out of range: 0 to "
				    "%u",
				    slot, slots - 1);
		for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
			if (!cpus_has(&set, cpu))
				continue;
			if (cpu >= n_cpus)
				return fail(err, EINVAL,
					    "CPU %u in the map of CPUs is out of range: "
					    "0 to %u",
					    cpu, n_cpus - 1);
			cpus[cpu] = (struct given_cpu){ .given = 1, .slot = slot };
		}
		if (*text != ',')
			break;
	}
	return *text ? fail(err, EINVAL,
			    "unexpected '%.16s' in the map of CPUs: it must be "
			    "CPUS:SLOT,CPUS:SLOT...",
			    text) :
		       0;
}

/* Return the policy to check the words with. Without a policy the words are for the
 * group's own, so assume one that knows them. */
static const char *assumed_policy(const struct reuseport_policy_opts *words)
{
	if (words->policy || (!words->over && !words->cpu_map))
		return words->policy;
	return words->over ? policies[POLICY_WEIGHTED].name : policies[POLICY_CPU].name;
}

/* Check all that can be checked without the group. */
int reuseport_policy_check(const struct reuseport_policy_opts *from, struct reuseport_error *err)
{
	struct reuseport_policy_opts words = { .sz = sizeof(words) };
	struct policy_choice choice;
	struct given_cpu *cpus;
	int ret = opts_copy(&words, from, err);

	if (ret)
		return ret;
	words.policy = assumed_policy(&words);
	ret = policy_choose(&words, NULL, &choice, err);
	if (ret || !choice.cpu_map)
		return ret;
	cpus = calloc(topology_cpus(), sizeof(*cpus));
	if (!cpus)
		return fail(err, ENOMEM, "out of memory");
	ret = policy_read_map(choice.cpu_map, cpus, topology_cpus(), TABLE_NO_WORKER, err);
	free(cpus);
	return ret;
}

struct reuseport_policy_opts policy_words_of_attach(const struct reuseport_attach_opts *opts)
{
	return (struct reuseport_policy_opts){
		.sz = sizeof(struct reuseport_policy_opts),
		.policy = opts->policy,
		.over = opts->over,
		.key = opts->key,
		.hash_key = opts->hash_key,
		.cpu_map = opts->cpu_map,
	};
}

/* ------------------------------------------------------------------- as text */

void policy_key_text(const struct plan *plan, char text[POLICY_KEY_LEN])
{
	static const char *const names[] = { "tuple", "src", "src-prefix", "dst" };
	unsigned int key = plan->key, bits4 = plan->prefix4, bits6 = plan->prefix6;

	if (key != KEY_SRC_PREFIX)
		snprintf(text, POLICY_KEY_LEN, "%s", key < 4 ? names[key] : "unknown");
	else if (bits4 == bits6 || (bits4 == 32 && bits6 > 32))
		snprintf(text, POLICY_KEY_LEN, "src-prefix/%u", bits6);
	else
		snprintf(text, POLICY_KEY_LEN, "src-prefix/%u,%u", bits4, bits6);
}

void policy_hash_key_text(const struct plan *plan, char text[POLICY_HASH_KEY_LEN])
{
	uint64_t words[2] = { htole64(plan->hash_key[0]), htole64(plan->hash_key[1]) };
	const unsigned char *bytes = (const unsigned char *)words;

	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}
