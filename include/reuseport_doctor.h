/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: find what is wrong with the groups of this host, or will be. The
 * conventions are those of reuseport_bpf.h.
 */
#ifndef REUSEPORT_DOCTOR_H
#define REUSEPORT_DOCTOR_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

enum reuseport_severity {
	REUSEPORT_NOTE = 1,    /* worth knowing; nothing is wrong */
	REUSEPORT_WARNING = 2, /* packets are lost, go astray, or will */
	REUSEPORT_ERROR = 3,   /* the group is not steered, or nothing can be */
};

/* Return a severity as text: "warning". */
const char *reuseport_severity_name(enum reuseport_severity severity);

/* Something that was seen: a number, or a text. */
struct reuseport_evidence {
	const char *name;
	const char *text; /* NULL: it is a number */
	uint64_t number;
};

struct reuseport_finding {
	const char *name; /* stable: "keeper-dead"; reuseportctl(8) lists all */
	enum reuseport_severity severity;
	const struct reuseport_key *key; /* of the group; NULL: it is about the host */
	char netns_name[64];             /* of the group's namespace, as "ip netns" has it, or "" */
	const char *text;                /* one sentence. As the evidence, it can have names of
					  * processes in it: escape both before you print them */
	const char *mend;                /* a command line for a shell, of printable ASCII; "": no
					  * command alone mends it, and the text says what does */
	const struct reuseport_evidence *const *evidence; /* pointers */
	size_t n_evidence;
};

struct reuseport_finding_list;
size_t reuseport_finding_list__count(const struct reuseport_finding_list *list);
const struct reuseport_finding *
reuseport_finding_list__get(const struct reuseport_finding_list *list, size_t i);
void reuseport_finding_list__free(struct reuseport_finding_list *list);

/*
 * Examine the groups that a filter selects, and the host; without a port, the groups that are
 * steered. The worst findings come first. An empty list is success: nothing was found. Changes
 * nothing. Where something only a second look can tell is suspected, it takes one to five
 * seconds, else some 100 ms.
 *
 * -ENOENT: the filter has a port, and no group is there. Other errors: it could not look.
 */
int reuseport_diagnose(const struct reuseport_filter *filter, struct reuseport_finding_list **list,
		       struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
