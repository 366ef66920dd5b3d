// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * sockopts: calls setsockopt() and getsockopt() as all kinds of programs do, on sockets of its
 * own in the network namespace where it runs, whose loopback has to be up. Two runs on one
 * kernel print the same, whether the calls go through BPF programs or not.
 *   sockopts all     what is long, short, special or wrong
 *   sockopts beyond  values whose memory ends before the length says, and a negative length: the
 *                    kernel itself answers otherwise with any BPF program, see docs/limits.md
 *   sockopts other   what other_sockopt.bpf.c answers
 * Each call is a line:
 *   KIND set NAME LENGTH: RESULT ERROR
 *   KIND get NAME LENGTH: RESULT ERROR LENGTH-AFTER SUM[, as set]
 * The sum is of the whole buffer, so of the value and of what is behind it, but for the bytes that
 * differ from run to run.
 */
#include "common.h"
#include "sockopts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/in6.h>
#include <net/ethernet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PORT 7001
#define BUFFER 65536
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* ------------------------------------------------------------------ one call */

static uint32_t sum_of(const unsigned char *bytes, size_t n)
{
	uint32_t sum = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	return sum;
}

static const char *error_name(int result)
{
	return result < 0 ? strerrorname_np(errno) : "0";
}

static void set_option(int fd, const struct sockopt_call *call)
{
	int result = setsockopt(fd, call->level, call->option, call->value, call->len);

	printf("%d %s\n", result, error_name(result));
}

/* The buffer is longer than any value, and full of what no value is. */
static void get_option(int fd, const struct sockopt_call *call)
{
	static unsigned char buffer[BUFFER];
	socklen_t len = call->len;
	size_t from = call->varies;
	int result;

	memset(buffer, 0xa5, sizeof(buffer));
	if (call->value)
		memcpy(buffer, call->value, call->value_len);
	result = getsockopt(fd, call->level, call->option, call->no_buffer ? NULL : buffer,
			    call->no_len ? NULL : &len);
	printf("%d %s %d", result, error_name(result), (int)len);
	if (result < 0)
		from = 0;
	else if (from == SOCKOPTS_ALL)
		from = len < BUFFER ? len : BUFFER;
	printf(" %08x%s\n", sum_of(buffer + from, sizeof(buffer) - from),
	       !result && call->value && !memcmp(buffer, call->value, len) ? ", as set" : "");
}

static void run_calls(const char *kind, int fd, const struct sockopt_call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s %s %s %d: ", kind, calls[i].set ? "set" : "get", calls[i].name,
		       (int)calls[i].len);
		if (calls[i].set)
			set_option(fd, &calls[i]);
		else
			get_option(fd, &calls[i]);
	}
}

static void run_on(int fd, const struct sockopt_calls *calls)
{
	run_calls(calls->kind, fd, calls->calls, calls->n);
}

static void run_on_new(int family, int type, int protocol, const struct sockopt_calls *calls)
{
	int fd = socket(family, type, protocol);

	if (fd < 0) {
		printf("%s: no such socket: %s\n", calls->kind, error_name(fd));
		return;
	}
	run_on(fd, calls);
	close(fd);
}

/* --------------------------------------------------------------- connections */

/* Two ends of a connection. Returns whether there is the protocol. */
static bool connect_pair(int proto, int *client, int *server)
{
	struct sockaddr_storage to, from;
	socklen_t size = address(&to, "127.0.0.1", PORT);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, proto);

	*client = socket(AF_INET, SOCK_STREAM, proto);
	if (listener < 0 || *client < 0)
		return false;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(*client, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	address(&from, "127.0.0.1", PORT + 1);
	if (bind(listener, (const struct sockaddr *)&to, size) || listen(listener, 1) ||
	    bind(*client, (const struct sockaddr *)&from, size) ||
	    connect(*client, (const struct sockaddr *)&to, size))
		die("a connection");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		die("accept");
	close(listener);
	return true;
}

/* With a reset: no TIME_WAIT keeps the port. */
static void close_pair(int client, int server)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(client);
	close(server);
}

static void run_connected(int proto, const struct sockopt_calls *calls)
{
	int client, server;

	if (!connect_pair(proto, &client, &server)) {
		printf("%s: no such socket: %s\n", calls->kind, error_name(-1));
		return;
	}
	run_on(client, calls);
	close_pair(client, server);
}

/* Pages of a socket become this process's: how many varies, and the rest is to be read. */
static void run_zerocopy(void)
{
	struct {
		struct tcp_zerocopy_receive
			begin; /* what headers have of it; the kernel has more */
		char rest[48];
	} value = { .begin.length = BUFFER };
	struct sockopt_call call = { .name = "TCP_ZEROCOPY_RECEIVE",
				     .level = IPPROTO_TCP,
				     .option = TCP_ZEROCOPY_RECEIVE,
				     .len = sizeof(value),
				     .value = &value,
				     .value_len = sizeof(value),
				     .varies = SOCKOPTS_ALL };
	static char data[BUFFER];
	int client, server;
	void *pages;

	if (!connect_pair(IPPROTO_TCP, &client, &server))
		die("TCP");
	pages = mmap(NULL, BUFFER, PROT_READ, MAP_SHARED, client, 0);
	value.begin.address = (uintptr_t)pages;
	if (pages == MAP_FAILED || send(server, data, sizeof(data), 0) != BUFFER)
		die("a mapping of the socket");
	run_calls("tcp", client, &call, 1);
	munmap(pages, BUFFER);
	close_pair(client, server);
}

/* The kernel writes the label that it has chosen into the value. */
static void run_flow_label(void)
{
	struct in6_flowlabel_req value = { .flr_dst = IN6ADDR_LOOPBACK_INIT,
					   .flr_action = IPV6_FL_A_GET,
					   .flr_share = IPV6_FL_S_EXCL,
					   .flr_flags = IPV6_FL_F_CREATE };
	struct sockopt_call call = { .name = "IPV6_FLOWLABEL_MGR",
				     .level = SOL_IPV6,
				     .option = IPV6_FLOWLABEL_MGR,
				     .len = sizeof(value),
				     .value = &value,
				     .set = true };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	run_calls("udp6", fd, &call, 1);
	printf("udp6 %s label\n", value.flr_label ? "has a" : "has no");
	close(fd);
}

static void run_uring(void)
{
	int one = 1, value = 0, fd = socket(AF_INET, SOCK_STREAM, 0), result;
	struct sockopt_call call = { .name = "SO_KEEPALIVE",
				     .level = SOL_SOCKET,
				     .option = SO_KEEPALIVE,
				     .len = sizeof(one),
				     .value = &one,
				     .set = true };
	socklen_t len = sizeof(value);

	result = sockopts_by_uring(fd, &call);
	printf("io_uring set %s %d: %d %s,", call.name, (int)call.len, result, error_name(result));
	if (getsockopt(fd, call.level, call.option, &value, &len))
		die("SO_KEEPALIVE");
	printf(" then %d\n", value);
	close(fd);
}

/* ---------------------------------------------------------------------- all */

static void run_unix(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		die("socketpair");
	run_on(fds[0], &sockopts_unix);
	close(fds[0]);
	close(fds[1]);
}

static void run_wrong(void)
{
	static const struct {
		int family, type;
		const char *kind;
	} sockets[] = {
		{ AF_INET, SOCK_STREAM, "tcp" },     { AF_INET, SOCK_DGRAM, "udp" },
		{ AF_INET6, SOCK_STREAM, "tcp6" },   { AF_INET6, SOCK_DGRAM, "udp6" },
		{ AF_UNIX, SOCK_STREAM, "unix" },    { AF_UNIX, SOCK_DGRAM, "unix datagram" },
		{ AF_NETLINK, SOCK_RAW, "netlink" },
	};
	struct sockopt_calls calls = sockopts_wrong;

	for (size_t i = 0; i < LENGTH(sockets); i++) {
		calls.kind = sockets[i].kind;
		run_on_new(sockets[i].family, sockets[i].type, 0, &calls);
	}
	calls.kind = "no descriptor";
	run_on(-1, &calls);
}

static void run_all(void)
{
	run_connected(IPPROTO_TCP, &sockopts_tcp);
	run_zerocopy();
	run_connected(IPPROTO_MPTCP, &sockopts_mptcp);
	run_on_new(AF_INET, SOCK_DGRAM, 0, &sockopts_udp);
	run_on_new(AF_INET6, SOCK_DGRAM, 0, &sockopts_udp6);
	run_flow_label();
	run_unix();
	run_on_new(AF_NETLINK, SOCK_RAW, 0, &sockopts_netlink);
	run_on_new(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL), &sockopts_packet);
	run_on_new(AF_INET, SOCK_RAW, IPPROTO_ICMP, &sockopts_icmp);
	run_on_new(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, &sockopts_icmp6);
	run_uring();
	run_wrong();
}

/* In a page behind which there is none: the value's last four bytes, or all of it. */
static void run_beyond(void)
{
	static const struct {
		socklen_t readable, len;
	} values[] = { { 4, 4 }, { 4, 5 }, { 4, 4096 }, { 4, 1 << 20 }, { 4096, 1 << 20 } };
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);
	struct sockopt_call call = {
		.name = "SO_KEEPALIVE", .level = SOL_SOCKET, .option = SO_KEEPALIVE, .set = true
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (pages == MAP_FAILED || munmap(pages + page, page) || fd < 0)
		die("a page and a socket");
	for (size_t i = 0; i < LENGTH(values); i++) {
		call.value = pages + page - values[i].readable;
		call.len = values[i].len;
		printf("%u of ", values[i].readable);
		run_calls("tcp", fd, &call, 1);
	}
	call = (struct sockopt_call){ .name = "none", .level = 0x7777, .len = -1 };
	run_calls("tcp", fd, &call, 1);
	close(fd);
}

/* Run in a cgroup with the programs of other_sockopt.bpf.c. */
static void run_other(void)
{
	static const int answer = 77, value = 100000;
	const struct sockopt_call calls[] = {
		{ .name = "other", .level = 0x1234, .len = 4, .value = &value, .set = true },
		{ .name = "70",
		  .level = SOL_IP,
		  .option = 70,
		  .len = 4,
		  .value = &value,
		  .set = true },
		{ .name = "other", .level = 0x1234, .len = 4, .value = &answer },
		{ .name = "SO_RCVBUF",
		  .level = SOL_SOCKET,
		  .option = SO_RCVBUF,
		  .len = 4,
		  .value = &value,
		  .set = true },
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), buffer = 0;
	socklen_t len = sizeof(buffer);

	run_calls("tcp", fd, calls, LENGTH(calls));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, &len))
		die("SO_RCVBUF");
	printf("SO_RCVBUF is %d\n", buffer);
	close(fd);
}

int main(int argc, char **argv)
{
	sockopts_prepare();
	if (argc == 2 && !strcmp(argv[1], "all"))
		run_all();
	else if (argc == 2 && !strcmp(argv[1], "beyond"))
		run_beyond();
	else if (argc == 2 && !strcmp(argv[1], "other"))
		run_other();
	else
		die("usage: sockopts all | beyond | other");
	return 0;
}
