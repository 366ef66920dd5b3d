// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Member check: which sockets have SO_REUSEPORT, where the kernel does not tell their groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sockets/group_key.h"
#include "sockets/member_check.h"
#include "sockets/pidfd_socket.h"
#include "sockets/socket_visit.h"

enum { HAS_REUSEPORT = 1, HAS_REUSEADDR = 2 };

static size_t first_with_key(const struct sock_diag_list *sockets, size_t index,
			     const size_t *first)
{
	for (size_t i = 0; i < index; i++)
		if (first[i] == i &&
		    group_key_equal(&sockets->sockets[i].key, &sockets->sockets[index].key))
			return i;
	return index;
}

/* Note that a socket is a member: here or, in a helper, for the sockets that follow. */
static void note_member(struct member_check *check, size_t index)
{
	check->members[index] = true;
	if (check->first)
		check->members[check->first[index]] = true;
}

static bool needs_check(const struct socket_visit *visit, size_t index)
{
	const struct member_check *check = visit->ctx;

	return !check->first || !check->members[check->first[index]];
}

static int read_options(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	if (socket_has_reuseport(fd) == 1) {
		visited->found |= HAS_REUSEPORT;
		note_member(visit->ctx, visited->index);
	}
	if (socket_has_reuseaddr(fd) == 1)
		visited->found |= HAS_REUSEADDR;
	return 0;
}

static void take_options(void *ctx, const struct socket_visited *visited)
{
	struct member_check *check = ctx;

	check->denied |= visited->ret == -EPERM;
	check->unsupported |= visited->ret == -EOPNOTSUPP;
	check->skipped |= visited->ret == -ETIMEDOUT;
	if (error_is_limit(visited->ret))
		check->limit = visited->ret;
	if (!visited->reached)
		return;
	check->reached[visited->index] = true;
	if (visited->found & HAS_REUSEPORT)
		note_member(check, visited->index);
	check->reuseaddr |= !!(visited->found & HAS_REUSEADDR);
	check->pid = visited->owner.pid;
	memcpy(check->comm, visited->owner.comm, sizeof(check->comm));
}

int member_check(const struct sock_diag_list *sockets, const struct socket_owners *owners,
		 bool one_per_key, struct member_check *check)
{
	struct socket_visit visit = { .sockets = socket_visit_list(sockets, owners),
				      .n = sockets->n,
				      .fn = read_options,
				      .take = take_options,
				      .wanted = needs_check,
				      .ctx = check };
	int ret;

	*check = (struct member_check){ .members = calloc(sockets->n + 1, sizeof(bool)),
					.reached = calloc(sockets->n + 1, sizeof(bool)) };
	if (one_per_key)
		check->first = calloc(sockets->n + 1, sizeof(*check->first));
	ret = visit.sockets && check->members && check->reached && (check->first || !one_per_key) ?
		      0 :
		      -ENOMEM;
	for (size_t i = 0; !ret && one_per_key && i < sockets->n; i++)
		check->first[i] = first_with_key(sockets, i, check->first);
	if (!ret)
		ret = socket_visit_run(&visit);
	/* The other processes answered. */
	if (ret == -ETIMEDOUT)
		ret = 0;
	free(visit.sockets);
	return ret ? ret : check->limit;
}

void member_check_free(struct member_check *check)
{
	free(check->members);
	free(check->reached);
	free(check->first);
	*check = (struct member_check){ 0 };
}
