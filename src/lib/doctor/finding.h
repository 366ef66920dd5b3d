/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Finding: what a check has found. Made by finding_add(), and filled by the other functions,
 * which ignore NULL: the list remembers that memory ran out.
 */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

#include "item_list.h"
#include "reuseport_doctor.h"

struct finding {
	struct reuseport_finding finding; /* first */
	struct reuseport_finding_list *list;
	struct reuseport_key key;
	struct item_list evidence; /* of struct finding_evidence */
	char text[400];
	char mend[400];
};

/* The public list. */
struct reuseport_finding_list {
	struct item_list items; /* of struct finding */
	bool failed;            /* memory ran out */
};

/* Add a finding about a group, or about the host (key NULL). */
struct finding *finding_add(struct reuseport_finding_list *list, const char *name,
			    enum reuseport_severity severity, const struct reuseport_key *key,
			    const char *netns_name);

/* Set the sentence, or the command that mends it. */
void finding_text(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void finding_mend(struct finding *finding, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Add evidence; the name must be static. */
void finding_number(struct finding *finding, const char *name, uint64_t number);
void finding_words(struct finding *finding, const char *name, const char *text);

/* Sort: the worst first, then by group. */
void finding_sort(struct reuseport_finding_list *list);

#endif
