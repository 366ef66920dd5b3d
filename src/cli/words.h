/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Words: keys and filters as a person writes and reads them. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "options.h"

const char *word_proto(int proto);   /* "tcp" */
const char *word_family(int family); /* "inet6" */

/* "0.0.0.0" or "2001:db8::1". */
void word_addr(const struct reuseport_key *key, char *text, size_t size);

/* "0.0.0.0:8080" or "[::]:8080". */
void word_endpoint(const struct reuseport_key *key, char *text, size_t size);

/*
 * The inode that --netns means; without it *inode stays as it is. A number
 * beyond any pid is taken for the inode itself, as status shows it: the only
 * way to name a namespace that is gone. -errno with a message on failure.
 */
int word_netns(const struct options *options, uint64_t *inode);

/*
 * The groups that the options mean: protocol tcp and the own namespace unless
 * others are given. An exit status; EXIT_DONE is success.
 */
int word_filter(const struct options *options, struct reuseport_filter *filter);

/* Replaces what is no UTF-8 by '?', in place: JSON has no other text. */
char *word_utf8(char *text);

/* The exit status of a command whose standard output must have been written. */
int word_written(void);

/* Prints "reuseportctl: text" and returns the exit status for it. */
int word_failure(const struct reuseport_error *error);

/* Likewise, where -EINVAL means a word of the command line. */
int word_refused(const struct reuseport_error *error);

#endif
