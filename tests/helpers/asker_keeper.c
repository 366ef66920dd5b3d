/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* asker: the keeper's part, in the maps of the hooks, for an attachment that is made up. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi.h"
#include "asker.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define ATTACHMENT 77 /* attachment_entry.attached_ns */
#define SLOTS 8
#define PLACE (HOOK_PLACES - 1)

static const char *dir;
static int asked_map = -1, control_map = -1;
static struct ring_buffer *ring;

static int map_of(const char *name)
{
	char path[256];
	int map;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	map = bpf_obj_get(path);
	if (map < 0)
		die("%s", path);
	return map;
}

static void put(const char *name, const void *key, const void *value)
{
	int map = map_of(name);

	if (bpf_map_update_elem(map, key, value, BPF_ANY))
		die("%s", name);
	close(map);
}

static void drop(const char *name, const void *key)
{
	int map = map_of(name);

	if (bpf_map_delete_elem(map, key))
		die("%s", name);
	close(map);
}

static bool get(const char *name, const void *key, void *value)
{
	int map = map_of(name), ret = bpf_map_lookup_elem(map, key, value);

	close(map);
	return !ret;
}

/* ----------------------------------------------------------------- the keeper */

static struct steered_key key_of_group(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	struct sockaddr_in *in = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&at;
	struct steered_key key = { .netns_cookie = asker_number(fd, SO_NETNS_COOKIE),
				   .proto = asker_number(fd, SO_PROTOCOL),
				   .family = asker_number(fd, SO_DOMAIN) };
	int v6only;

	if (getsockname(fd, (struct sockaddr *)&at, &len))
		die("getsockname");
	key.port = ntohs(in->sin_port);
	if (key.family == AF_INET6) {
		memcpy(key.addr, &in6->sin6_addr, 16);
		/* The kernel sets it where the address says so. */
		len = sizeof(v6only);
		if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len))
			die("IPV6_V6ONLY");
		key.v6only = v6only;
	} else {
		memcpy(key.addr, &in->sin_addr, 4);
	}
	return key;
}

static void steer(int fd, bool no_sockopt)
{
	struct steered value = { .attachment = ATTACHMENT, .no_sockopt = no_sockopt };
	struct steered_key key = key_of_group(fd);

	put("steered", &key, &value);
}

static void make_words(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, words, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	LIBBPF_OPTS(bpf_map_create_opts, section, .map_flags = BPF_F_MMAPABLE);
	uint64_t attachment = ATTACHMENT;

	asked_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "asked", 4, sizeof(struct asked_slot), SLOTS,
				   &words);
	control_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", 4, sizeof(struct control), 1,
				     &section);
	if (asked_map < 0 || control_map < 0)
		die("maps");
	put("asked_maps", &attachment, &asked_map);
	put("control_maps", &attachment, &control_map);
}

static void join(int fd, char **words)
{
	uint64_t key = cookie_of(fd);
	struct member member = { .attachment = ATTACHMENT,
				 .slot = atoi(words[0]),
				 .generation = atoi(words[1]),
				 .taken = atoi(words[2]),
				 .seq = atoi(words[2]),
				 .state = WORKER_ACTIVE,
				 .weight = 10,
				 .flows = 3 };

	if (strcmp(words[3], "-")) {
		member.has_id = 1;
		member.id = atoi(words[3]);
	}
	put("members", &key, &member);
}

static int note_told(void *ctx, void *data, size_t size)
{
	const struct socket_event *event = data;

	(void)ctx;
	(void)size;
	if (event->kind == SOCKET_EVENT_ASKED && event->cookie == ATTACHMENT)
		printf(" %u", event->members);
	return 0;
}

static void follow(int fd)
{
	struct steered_key group = key_of_group(fd);
	struct interest key = { .netns_cookie = group.netns_cookie,
				.port = group.port,
				.proto = group.proto };
	int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "asker", 0, 0, EVENT_RING_BYTES, NULL);
	uint64_t bits = 1ULL << PLACE;
	uint32_t place = PLACE;

	ring = ring_buffer__new(map, note_told, NULL, NULL);
	if (!ring)
		die("ring buffer");
	put("rings", &place, &map);
	put("interest", &key, &bits);
}

/* --------------------------------------------------------- what is in the maps */

static void print_word(uint32_t slot)
{
	struct asked_slot word;
	struct control control;
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(asked_map, &slot, &word) ||
	    bpf_map_lookup_elem(control_map, &zero, &control))
		die("word");
	printf("word %u %u, shown %u\n", word.what, word.count, control.asked);
}

static void print_request(int fd)
{
	uint64_t key = cookie_of(fd);
	struct request request;

	if (get("requests", &key, &request))
		printf("request %u %u %u %u %u\n", request.count, request.ready, request.drain,
		       request.weight, request.id);
	else
		puts("no request");
}

static void print_owner(int fd, char **words)
{
	struct worker_id key = { .attachment = ATTACHMENT,
				 .generation = atoi(words[0]),
				 .id = strtoul(words[1], NULL, 0) };
	uint64_t owner;

	if (get("worker_ids", &key, &owner))
		puts(owner == cookie_of(fd) ? "this" : "another");
	else
		puts("nobody");
}

static void print_told(void)
{
	printf("told");
	ring_buffer__consume(ring);
	putchar('\n');
}

/* --------------------------------------------------------------- another tool */

static void attach_other(const char *path, unsigned int flags)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_CGROUP_SETSOCKOPT);
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCKOPT, "other_tool", "GPL", code, 2,
				    &opts);
	int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (program < 0 || cgroup < 0 ||
	    bpf_prog_attach(program, cgroup, BPF_CGROUP_SETSOCKOPT, flags))
		die("a program at %s", path);
	close(program);
	close(cgroup);
}

static int be_another(char **words)
{
	if (!strcmp(words[0], "exclusive"))
		return attach_other(words[1], 0), 2;
	if (strcmp(words[0], "crowd"))
		return -1;
	for (int i = 0; i < 64; i++)
		attach_other(words[1], BPF_F_ALLOW_MULTI);
	return 2;
}

/* ------------------------------------------------------------------- commands */

static int keep_member(int fd, char **words, int n)
{
	uint64_t key;

	if (!strcmp(words[0], "join") && n > 4)
		return join(fd, words + 1), 5;
	if (strcmp(words[0], "leave"))
		return -1;
	key = cookie_of(fd);
	drop("members", &key);
	return 1;
}

static int keep_group(int fd, char **words, int n)
{
	struct steered_key group;

	if (!strcmp(words[0], "steer") && n > 1 && !strcmp(words[1], "no-sockopt"))
		return steer(fd, true), 2;
	if (!strcmp(words[0], "steer"))
		return steer(fd, false), 1;
	if (!strcmp(words[0], "words"))
		return make_words(), 1;
	if (!strcmp(words[0], "follow"))
		return follow(fd), 1;
	if (strcmp(words[0], "forget"))
		return keep_member(fd, words, n);
	group = key_of_group(fd);
	drop("steered", &group);
	return 1;
}

int asker_keep(const char *hooks, int fd, char **words, int n)
{
	dir = hooks;
	if (!strcmp(words[0], "word") && n > 1)
		return print_word(atoi(words[1])), 2;
	if (!strcmp(words[0], "request"))
		return print_request(fd), 1;
	if (!strcmp(words[0], "owner") && n > 2)
		return print_owner(fd, words + 1), 3;
	if (!strcmp(words[0], "told"))
		return print_told(), 1;
	if (n > 1 && be_another(words) > 0)
		return 2;
	return keep_group(fd, words, n);
}
