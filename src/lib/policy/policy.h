/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policies: their names and options as words, and as a plan. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Never NULL. */
const char *policy_name(unsigned int policy);

/* What becomes of words: the plan but for its width, and the map of CPUs. */
struct policy_choice {
	struct plan plan;
	const char *cpu_map; /* NULL: none; of the words */
};

/*
 * From words, all of which may be NULL, and the plan at present, NULL for none:
 * no policy is present's, or "hash"; the hash key is the given one, present's,
 * or random. -EINVAL: a word is wrong, or does not go with the policy.
 */
int policy_choose(const struct reuseport_policy_opts *words, const struct plan *present,
		  struct policy_choice *choice, struct reuseport_error *err);

/* The words of an attach. */
struct reuseport_policy_opts policy_words_of_attach(const struct reuseport_attach_opts *opts);

/* Writes what is given for each CPU; all of a map or nothing. -EINVAL. */
int policy_read_map(const char *text, struct given_cpu *cpus, unsigned int n_cpus,
		    unsigned int slots, struct reuseport_error *err);

/* "tuple", "src-prefix/24,56"; 32 hexadecimal digits. */
#define POLICY_KEY_LEN 32
#define POLICY_HASH_KEY_LEN 33
void policy_key_text(const struct plan *plan, char text[POLICY_KEY_LEN]);
void policy_hash_key_text(const struct plan *plan, char text[POLICY_HASH_KEY_LEN]);

#endif
