// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket iterators: read the kernel's reuseport groups, with their programs. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "group_iter.skel.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"
#include "sockets/group_iter.h"

/* Any failure but that of a limit is -EOPNOTSUPP: the callers can all do without iterators. */
int group_iter_open(struct group_iter_bpf **reader, struct reuseport_error *err)
{
	static const char what[] = "read the kernel's sockets";
	struct group_iter_bpf *skeleton;
	int code, ret;

	if (features_allow(FEATURE_ITERATORS, what, err))
		return -EOPNOTSUPP;
	libbpf_quiet_begin();
	skeleton = group_iter_bpf__open_and_load();
	code = errno;
	libbpf_quiet_end();
	if (!skeleton) {
		ret = features_blame(FEATURE_ITERATORS, code, what, err);
		return error_is_limit(ret) ? ret : -EOPNOTSUPP;
	}
	*reader = skeleton;
	return 0;
}

void group_iter_close(struct group_iter_bpf *reader)
{
	group_iter_bpf__destroy(reader);
}

static int group_iter_append(struct member_list *list, const struct group_member *member)
{
	struct group_member *grown;

	if (list->n == list->room) {
		grown = realloc(list->members, (list->room * 2 + 64) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->members = grown;
		list->room = list->room * 2 + 64;
	}
	list->members[list->n++] = *member;
	return 0;
}

/* Read the records of an iterator. A record may be split between two reads. */
static int read_records(int fd, struct member_list *list)
{
	char buffer[128 * sizeof(struct group_member)];
	struct group_member member;
	size_t have = 0, used;
	ssize_t len;
	int ret = 0;

	for (;;) {
		len = read(fd, buffer + have, sizeof(buffer) - have);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (len <= 0)
			return len ? -errno : 0;
		have += len;
		for (used = 0; have - used >= sizeof(member); used += sizeof(member)) {
			memcpy(&member, buffer + used, sizeof(member));
			ret = group_iter_append(list, &member);
			if (ret)
				return ret;
		}
		have -= used;
		memmove(buffer, buffer + used, have);
	}
}

static int run_iterator(struct bpf_program *prog, struct member_list *list)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	int fd, ret;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	ret = fd < 0 ? -errno : read_records(fd, list);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return ret;
}

int group_iter_read(struct group_iter_bpf *reader, int proto, struct member_list *list,
		    struct reuseport_error *err)
{
	int ret = 0;

	libbpf_quiet_begin();
	if (proto != IPPROTO_UDP)
		ret = run_iterator(reader->progs.group_iter_tcp, list);
	if (!ret && proto != IPPROTO_TCP)
		ret = run_iterator(reader->progs.group_iter_udp, list);
	libbpf_quiet_end();
	if (ret)
		return fail(err, -ret, "cannot read the kernel's sockets: %s", strerror(-ret));
	return 0;
}

int group_iter_read_port(struct group_iter_bpf *reader, int proto, uint16_t port,
			 struct member_list *list, struct reuseport_error *err)
{
	int ret;

	reader->bss->port = port;
	ret = group_iter_read(reader, proto, list, err);
	reader->bss->port = 0;
	return ret;
}

static int by_member_cookie(const void *a, const void *b)
{
	const struct group_member *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

void group_iter_sort(struct member_list *list)
{
	if (list->n)
		qsort(list->members, list->n, sizeof(*list->members), by_member_cookie);
}

const struct group_member *group_iter_find(const struct member_list *list, uint64_t cookie)
{
	const struct group_member wanted = { .cookie = cookie };

	if (!list->n)
		return NULL;
	return bsearch(&wanted, list->members, list->n, sizeof(wanted), by_member_cookie);
}

static int read_namespace(struct group_iter_bpf *reader, const struct netns_ref *ns, int proto,
			  struct member_list *list, struct reuseport_error *err)
{
	struct netns_visit visit;
	int ret = netns_enter(ns, &visit, err);

	if (ret)
		return ret;
	ret = group_iter_read(reader, proto, list, err);
	netns_leave(&visit);
	return ret;
}

static int find_program(struct group_iter_bpf *reader, const struct netns_ref *ns, int proto,
			uint64_t cookie, struct group_program *program, struct reuseport_error *err)
{
	struct member_list list = { 0 };
	const struct group_member *member = NULL;
	int ret;

	ret = read_namespace(reader, ns, proto, &list, err);
	for (size_t i = 0; !ret && !member && i < list.n; i++)
		if (list.members[i].cookie == cookie)
			member = &list.members[i];
	if (!ret && !member)
		ret = fail(err, ENOENT, "the socket is not a member of a reuseport group");
	if (!ret) {
		*program = (struct group_program){ .present = member->has_prog,
						   .id = member->prog_id };
		ret = group_program_name(member->prog_id, program->name, sizeof(program->name));
		if (ret)
			fail(err, -ret, "cannot read a program's name: %s", strerror(-ret));
	}
	free(list.members);
	return ret;
}

int group_iter_program_of(struct group_iter_bpf *reader, const struct netns_ref *ns, int proto,
			  uint64_t cookie, struct group_program *program,
			  struct reuseport_error *err)
{
	struct group_iter_bpf *own = NULL;
	int ret = 0;

	if (!reader)
		ret = group_iter_open(&own, err);
	if (ret)
		return ret;
	ret = find_program(reader ? reader : own, ns, proto, cookie, program, err);
	group_iter_close(own);
	return ret;
}

int group_program_name(uint32_t id, char *name, size_t size)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd, ret = 0;

	*name = '\0';
	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return error_is_limit(-errno) ? -errno : 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = error_is_limit(-errno) ? -errno : 0;
	else
		snprintf(name, size, "%s", info.name);
	close(fd);
	return ret;
}
