/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policies: turn names and options, as words, into a plan and back. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "abi.h"
#include "reuseport_bpf.h"

/* Return the policy's name, "unknown" for an unknown one. */
const char *policy_name(unsigned int policy);

/* The meaning of words: the plan, without its width, and the map of CPUs. */
struct policy_choice {
	struct plan plan;
	const char *cpu_map; /* NULL: none; points into the words */
};

/*
 * Choose by words, each of which may be NULL, and the present plan, NULL for none. The
 * default policy is the present one's, else "hash"; the default hash key the present
 * one, else a random one. -EINVAL: a word is wrong, or the policy does not know it.
 */
int policy_choose(const struct reuseport_policy_opts *words, const struct plan *present,
		  struct policy_choice *choice, struct reuseport_error *err);

/* Return the policy's words of an attach. */
struct reuseport_policy_opts policy_words_of_attach(const struct reuseport_attach_opts *opts);

/* Parse a map of CPUs into the slot of each CPU. -EINVAL: it is malformed, or names a
 * CPU or slot out of range. */
int policy_read_map(const char *text, struct given_cpu *cpus, unsigned int n_cpus,
		    unsigned int slots, struct reuseport_error *err);

/* Print the key, such as "tuple" or "src-prefix/24,56"; the hash key as 32 hexadecimal
 * digits. */
#define POLICY_KEY_LEN 32
#define POLICY_HASH_KEY_LEN 33
void policy_key_text(const struct plan *plan, char text[POLICY_KEY_LEN]);
void policy_hash_key_text(const struct plan *plan, char text[POLICY_HASH_KEY_LEN]);

#endif
