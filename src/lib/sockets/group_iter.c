// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket iterators: read the kernel's reuseport groups, with their programs. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "group_iter.skel.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"
#include "host/look.h"
#include "sockets/group_iter.h"

/* After they hung, they are left alone for so long. */
#define HUNG_NS (30000 * CLOCK_MS)

struct group_iter {
	int tcp, udp;                  /* the programs */
	struct group_iter_bpf *loaded; /* NULL: they were given */
};

static const char what[] = "read the kernel's sockets";

static int group_iter_new(struct group_iter **reader, struct reuseport_error *err)
{
	if (features_allow(FEATURE_ITERATORS, what, err))
		return -EOPNOTSUPP;
	*reader = calloc(1, sizeof(**reader));
	return *reader ? 0 : fail(err, ENOMEM, "out of memory");
}

int group_iter_use(int tcp, int udp, struct group_iter **reader, struct reuseport_error *err)
{
	int ret = group_iter_new(reader, err);

	if (ret)
		return ret;
	**reader = (struct group_iter){ .tcp = tcp, .udp = udp };
	return 0;
}

/* Any failure but that of a limit is -EOPNOTSUPP: the callers can all do without iterators. */
int group_iter_open(struct group_iter **out, struct reuseport_error *err)
{
	struct group_iter *reader;
	int code, ret = group_iter_new(&reader, err);

	if (ret)
		return ret;
	libbpf_quiet_begin();
	reader->loaded = group_iter_bpf__open_and_load();
	code = errno;
	libbpf_quiet_end();
	if (!reader->loaded) {
		free(reader);
		ret = features_blame(FEATURE_ITERATORS, code, what, err);
		return error_is_limit(ret) ? ret : -EOPNOTSUPP;
	}
	reader->tcp = bpf_program__fd(reader->loaded->progs.group_iter_tcp);
	reader->udp = bpf_program__fd(reader->loaded->progs.group_iter_udp);
	*out = reader;
	return 0;
}

void group_iter_close(struct group_iter *reader)
{
	if (!reader)
		return;
	if (reader->loaded) {
		group_iter_bpf__destroy(reader->loaded);
	} else {
		close(reader->tcp);
		close(reader->udp);
	}
	free(reader);
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

/* ------------------------------------------------------------- one reading */

/* A reading, which waits for each socket's lock: its owner can hold that for ever. */
struct iter_reading {
	struct group_iter *reader;
	int proto;
	struct member_list *list;
	int ret; /* of appending to it */
};

/* Report the records of an iterator. A record may be split between two reads. That of TCP ends with
 * EAGAIN if there are connections; any other one goes on after that. */
static int tell_records(int fd, bool tcp, struct look_report *report)
{
	char buffer[128 * sizeof(struct group_member)];
	struct group_member member;
	size_t have = 0, used;
	ssize_t len;
	int ret = 0;

	for (;;) {
		len = read(fd, buffer + have, sizeof(buffer) - have);
		if (len < 0 && errno == EAGAIN && tcp)
			return 0;
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (len <= 0)
			return len ? -errno : 0;
		look_progress(report);
		have += len;
		for (used = 0; have - used >= sizeof(member); used += sizeof(member)) {
			memcpy(&member, buffer + used, sizeof(member));
			ret = look_tell(report, &member);
			if (ret)
				return ret;
		}
		have -= used;
		memmove(buffer, buffer + used, have);
	}
}

static int run_iterator(int prog, bool tcp, struct look_report *report)
{
	int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL), fd, ret;

	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	ret = fd < 0 ? -errno : tell_records(fd, tcp, report);
	if (fd >= 0)
		close(fd);
	close(link);
	return ret;
}

static int run_iterators(struct look_report *report, void *arg)
{
	const struct iter_reading *reading = arg;
	int ret = 0;

	libbpf_quiet_begin();
	if (reading->proto != IPPROTO_UDP)
		ret = run_iterator(reading->reader->tcp, true, report);
	if (!ret && reading->proto != IPPROTO_TCP)
		ret = run_iterator(reading->reader->udp, false, report);
	libbpf_quiet_end();
	return ret;
}

static void take_member(void *ctx, const void *record)
{
	struct iter_reading *reading = ctx;

	if (!reading->ret)
		reading->ret = group_iter_append(reading->list, record);
}

size_t group_iter_fds(const struct group_iter *reader, int *fds)
{
	fds[0] = reader->tcp;
	fds[1] = reader->udp;
	return 2;
}

static int read_isolated(struct iter_reading *reading)
{
	int keep[2];
	const struct look_job job = { .run = run_iterators,
				      .arg = reading,
				      .record = sizeof(struct group_member),
				      .take = take_member,
				      .ctx = reading,
				      .keep = keep,
				      .n_keep = group_iter_fds(reading->reader, keep),
				      .minor = true };
	int ret = look_run(&job);

	return ret ? ret : reading->ret;
}

/* ------------------------------------------------------------------ readings */

static uint64_t hung_at; /* when the iterators hung last; 0: never */

static bool iterators_hang(void)
{
	return hung_at && clock_ns(CLOCK_MONOTONIC) - hung_at < HUNG_NS;
}

void group_iter_note_hang(void)
{
	if (!iterators_hang())
		look_warn("a process holds the lock of a socket: which groups have a program "
			  "cannot be seen meanwhile");
	hung_at = clock_ns(CLOCK_MONOTONIC);
}

int group_iter_read(struct group_iter *reader, int proto, struct member_list *list,
		    struct reuseport_error *err)
{
	struct iter_reading reading = { .reader = reader, .proto = proto, .list = list };
	size_t before = list->n;
	int ret = iterators_hang() ? -EBUSY : read_isolated(&reading);

	if (ret == -ETIMEDOUT)
		group_iter_note_hang();
	if (ret)
		list->n = before;
	if (ret == -ETIMEDOUT || ret == -EBUSY)
		return fail(err, EOPNOTSUPP,
			    "cannot read the kernel's sockets: a process holds the lock of one");
	if (ret)
		return fail(err, -ret, "cannot read the kernel's sockets: %s", strerror(-ret));
	return 0;
}

int group_iter_read_port(struct group_iter *reader, int proto, uint16_t port,
			 struct member_list *list, struct reuseport_error *err)
{
	int ret;

	reader->loaded->bss->port = port;
	ret = group_iter_read(reader, proto, list, err);
	reader->loaded->bss->port = 0;
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

static int read_namespace(struct group_iter *reader, const struct netns_ref *ns, int proto,
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

static int find_program(struct group_iter *reader, const struct netns_ref *ns, int proto,
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

int group_iter_program_of(struct group_iter *reader, const struct netns_ref *ns, int proto,
			  uint64_t cookie, struct group_program *program,
			  struct reuseport_error *err)
{
	struct group_iter *own = NULL;
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
