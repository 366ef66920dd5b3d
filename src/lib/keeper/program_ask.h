/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Program ask: ask the kernel which programs the groups of some sockets have, all of one network
 * namespace, in one pass of its iterators.
 */
#ifndef KEEPER_PROGRAM_ASK_H
#define KEEPER_PROGRAM_ASK_H

#include "host/look.h"
#include "host/netns.h"
#include "sockets/group_iter.h"

#define ASK_MAX 96

/* What the kernel is asked. */
struct program_ask {
	struct netns_ref ns;
	uint32_t n;
	uint64_t cookies[ASK_MAX];
};

/* What came of one socket. */
struct program_answer {
	uint32_t index; /* of the cookie */
	uint32_t id;    /* of the program, 0: classic BPF */
	bool found;     /* a group has the socket */
	bool present;   /* and a program */
	uint32_t cost;  /* of the whole look so far, in us of a CPU */
};

/* What a look costs beside what its helper measures, in us. */
#define ASK_COST 200

enum program_seen_kind {
	PROGRAM_OURS, /* or not seen yet */
	PROGRAM_NONE,
	PROGRAM_FOREIGN,
};

/* What was seen of a group last. */
struct program_seen {
	enum program_seen_kind kind;
	uint32_t id; /* if it is not ours */
};

/* The question with what it takes to ask it. */
struct program_question {
	struct program_ask ask;
	struct group_iter *reader;
	int keep[2]; /* descriptors of the reader */
};

/*
 * Begin to ask. take() is called with "ctx" and each struct program_answer. The question must stay
 * until the look is over. *look is NULL if it is over when this returns: then looks do not run
 * beside this process. Return 0 or -errno.
 */
int program_ask(struct program_question *question, void (*take)(void *ctx, const void *record),
		void *ctx, struct look **look);

#endif
