/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sock_diag: what it lists of real sockets on loopback is what the sockets themselves
 * say: address, port, peer, cookie, inode, owner, device and queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random.h"
#include "sockets/sock_diag.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

/* ------------------------------------------------------------ what sockets say */

static socklen_t make_addr(const char *text, uint16_t port, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *v6 = (void *)addr;
	struct sockaddr_in *v4 = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	if (strchr(text, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &v4->sin_addr), 1);
	return sizeof(*v4);
}

/* Bound, and listening if it is TCP; -1 if this host has no IPv6. Port 0: any. */
static int open_socket(int type, const char *text, uint16_t port, int v6only)
{
	struct sockaddr_storage addr;
	socklen_t len = make_addr(text, port, &addr);
	int fd = socket(addr.ss_family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 && addr.ss_family == AF_INET6)
		return -1;
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	if (addr.ss_family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)),
				 0);
	if (bind(fd, (void *)&addr, len)) {
		assert_int_equal(addr.ss_family, AF_INET6);
		close(fd);
		return -1;
	}
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (void *)&addr, &len), 0);
	return ntohs(((struct sockaddr_in *)&addr)->sin_port); /* where IPv6 has it too */
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static void connect_to(int fd, const char *text, uint16_t port)
{
	struct sockaddr_storage addr;
	socklen_t len = make_addr(text, port, &addr);

	assert_int_equal(connect(fd, (void *)&addr, len), 0);
}

/* ----------------------------------------------------------------------- lists */

static struct sock_diag_list dump(int proto, uint16_t port)
{
	struct sock_diag_list list;
	struct reuseport_error err = { 0 };

	if (sock_diag_dump(proto, port, &list, &err))
		fail_msg("%s", err.text);
	return list;
}

static struct sock_diag_list dump_all(int proto, uint16_t port)
{
	struct sock_diag_list list;
	struct reuseport_error err = { 0 };

	if (sock_diag_dump_all(proto, port, &list, &err))
		fail_msg("%s", err.text);
	return list;
}

/* The queue of the only socket on a port, once it is that long: loopback may take a while
 * on a busy host. */
static uint32_t queue_from(int proto, int fd, uint32_t least)
{
	uint32_t queue = 0;

	for (int i = 0; i < 200 && (!i || queue < least); i++) {
		struct sock_diag_list list = dump(proto, port_of(fd));

		if (i)
			usleep(10000);
		assert_int_equal(list.n, 1);
		queue = list.sockets[0].queue;
		free(list.sockets);
	}
	return queue;
}

/* The socket in an unsorted list, or NULL. */
static const struct sock_diag_socket *in_list(const struct sock_diag_list *list, int fd)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->sockets[i].cookie == cookie_of(fd))
			return &list->sockets[i];
	return NULL;
}

/* All that does not depend on a peer. */
static void same(const struct sock_diag_socket *socket, int fd, int proto, const char *text)
{
	struct stat st;
	uint8_t addr[16] = { 0 };
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	assert_non_null(socket);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(inet_pton(family, text, addr), 1);
	assert_int_equal(socket->key.sz, sizeof(socket->key));
	assert_int_equal(socket->key.proto, proto);
	assert_int_equal(socket->key.family, family);
	assert_int_equal(socket->key.port, port_of(fd));
	assert_memory_equal(socket->key.addr, addr, 16);
	assert_int_equal(socket->key.netns, 0);
	assert_true(socket->key.has_uid);
	assert_int_equal(socket->key.uid, geteuid());
	assert_int_equal(socket->cookie, cookie_of(fd));
	assert_int_equal(socket->inode, st.st_ino);
}

static bool is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return !memcmp(addr, zero, 16);
}

/* ----------------------------------------------------------------------- tests */

static void a_tcp_listener(void **state)
{
	int fd = open_socket(SOCK_STREAM, "127.0.0.1", 0, 0), clients[3];
	struct sock_diag_list list = dump(IPPROTO_TCP, port_of(fd));

	(void)state;
	assert_int_equal(list.n, 1);
	same(&list.sockets[0], fd, IPPROTO_TCP, "127.0.0.1");
	assert_false(list.sockets[0].key.v6only);
	assert_false(list.sockets[0].connected);
	assert_int_equal(list.sockets[0].key.ifindex, 0);
	assert_int_equal(list.sockets[0].queue, 0);
	assert_int_equal(list.sockets[0].peer_port, 0);
	assert_true(is_zero(list.sockets[0].peer));
	free(list.sockets);

	/* Connections are not listed; those to accept are counted. */
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		connect_to(clients[i], "127.0.0.1", port_of(fd));
	}
	assert_int_equal(queue_from(IPPROTO_TCP, fd, 3), 3);
	list = dump_all(IPPROTO_TCP, port_of(fd));
	assert_int_equal(list.n, 1);
	free(list.sockets);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(fd);
}

static void v6only_as_it_was_set(void **state)
{
	(void)state;
	for (int v6only = 0; v6only < 2; v6only++) {
		for (int udp = 0; udp < 2; udp++) {
			int type = udp ? SOCK_DGRAM : SOCK_STREAM;
			int proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
			int fd = open_socket(type, v6only ? "::1" : "::", 0, v6only);
			struct sock_diag_list list;

			if (fd < 0)
				skip();
			list = dump(proto, port_of(fd));
			same(in_list(&list, fd), fd, proto, v6only ? "::1" : "::");
			assert_int_equal(in_list(&list, fd)->key.v6only, v6only);
			free(list.sockets);
			close(fd);
		}
	}
}

static void connected_udp_sockets_are_for_dump_all(void **state)
{
	static const uint8_t loopback[16] = { 127, 0, 0, 1 };
	int plain = open_socket(SOCK_DGRAM, "127.0.0.1", 0, 0);
	int connected = open_socket(SOCK_DGRAM, "127.0.0.1", port_of(plain), 0);
	struct sock_diag_list list;

	(void)state;
	connect_to(connected, "127.0.0.1", 9);
	list = dump(IPPROTO_UDP, port_of(plain));
	assert_int_equal(list.n, 1);
	same(&list.sockets[0], plain, IPPROTO_UDP, "127.0.0.1");
	assert_false(list.sockets[0].connected);
	assert_true(is_zero(list.sockets[0].peer));
	free(list.sockets);

	list = dump_all(IPPROTO_UDP, port_of(plain));
	assert_int_equal(list.n, 2);
	assert_false(in_list(&list, plain)->connected);
	same(in_list(&list, connected), connected, IPPROTO_UDP, "127.0.0.1");
	assert_true(in_list(&list, connected)->connected);
	assert_int_equal(in_list(&list, connected)->peer_port, 9);
	assert_memory_equal(in_list(&list, connected)->peer, loopback, 16);
	free(list.sockets);
	close(plain);
	close(connected);
}

static void a_udp_queue_is_in_bytes(void **state)
{
	int fd = open_socket(SOCK_DGRAM, "127.0.0.1", 0, 0);
	int sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t one;
	char byte;

	(void)state;
	assert_int_equal(queue_from(IPPROTO_UDP, fd, 0), 0);
	connect_to(sender, "127.0.0.1", port_of(fd));
	assert_int_equal(send(sender, "x", 1, 0), 1);
	one = queue_from(IPPROTO_UDP, fd, 1);
	assert_true(one > 0);
	assert_int_equal(send(sender, "x", 1, 0), 1);
	assert_int_equal(queue_from(IPPROTO_UDP, fd, 2 * one), 2 * one);
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	close(fd);
	close(sender);
}

static void the_device_of_a_socket(void **state)
{
	int fd = open_socket(SOCK_STREAM, "127.0.0.1", 0, 0);
	struct sock_diag_list list;

	(void)state;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) {
		close(fd);
		skip();
	}
	list = dump(IPPROTO_TCP, port_of(fd));
	assert_int_equal(list.n, 1);
	assert_int_equal(list.sockets[0].key.ifindex, if_nametoindex("lo"));
	free(list.sockets);
	close(fd);
}

static void of_one_port_or_of_all(void **state)
{
	int a = open_socket(SOCK_STREAM, "127.0.0.1", 0, 0);
	int b = open_socket(SOCK_STREAM, "127.0.0.1", 0, 0);
	struct sock_diag_list list = dump(IPPROTO_TCP, port_of(a));

	(void)state;
	assert_int_not_equal(port_of(a), port_of(b));
	assert_non_null(in_list(&list, a));
	assert_null(in_list(&list, b));
	free(list.sockets);
	list = dump(IPPROTO_TCP, 0);
	same(in_list(&list, a), a, IPPROTO_TCP, "127.0.0.1");
	same(in_list(&list, b), b, IPPROTO_TCP, "127.0.0.1");
	free(list.sockets);
	list = dump(IPPROTO_UDP, port_of(a));
	assert_null(in_list(&list, a));
	free(list.sockets);
	close(a);
	close(b);
}

/* More than one message of the kernel's, and more than one growth of the list. */
static void many_sockets(void **state)
{
	enum { MANY = 500 };
	int fds[MANY];
	struct sock_diag_list list;
	uint16_t port;

	(void)state;
	fds[0] = open_socket(SOCK_DGRAM, "127.0.0.1", 0, 0);
	port = port_of(fds[0]);
	for (int i = 1; i < MANY; i++)
		fds[i] = open_socket(SOCK_DGRAM, "127.0.0.1", port, 0);
	list = dump(IPPROTO_UDP, port);
	assert_int_equal(list.n, MANY);
	sock_diag_sort(&list);
	for (int i = 0; i < MANY; i++) {
		same(sock_diag_find(&list, cookie_of(fds[i])), fds[i], IPPROTO_UDP, "127.0.0.1");
		assert_true(!i || list.sockets[i - 1].cookie < list.sockets[i].cookie);
		close(fds[i]);
	}
	free(list.sockets);
}

static void members_have_the_whole_key(void **state)
{
	struct reuseport_key key = { .sz = sizeof(key), .proto = IPPROTO_TCP, .family = AF_INET };
	int wanted[2], other, any;
	struct sock_diag_list list;
	struct netns_ref ns = { 0 };

	(void)state;
	assert_int_equal(netns_inode_of("/proc/self/ns/net", &ns.inode), 0);
	wanted[0] = open_socket(SOCK_STREAM, "127.0.0.1", 0, 0);
	key.port = port_of(wanted[0]);
	wanted[1] = open_socket(SOCK_STREAM, "127.0.0.1", key.port, 0);
	/* A cookie is given when it is first asked for; the kernel lists the newest first. */
	assert_true(cookie_of(wanted[0]) < cookie_of(wanted[1]));
	other = open_socket(SOCK_STREAM, "127.0.0.2", key.port, 0);
	any = open_socket(SOCK_STREAM, "0.0.0.0", key.port, 0);
	memcpy(key.addr, (uint8_t[4]){ 127, 0, 0, 1 }, 4);
	key.netns = ns.inode;

	assert_int_equal(sock_diag_members(&key, &ns, &list, NULL), 0);
	assert_int_equal(list.n, 2);
	assert_true(list.sockets[0].cookie < list.sockets[1].cookie);
	for (int i = 0; i < 2; i++) {
		assert_non_null(sock_diag_find(&list, cookie_of(wanted[i])));
		assert_int_equal(list.sockets[i].key.netns, ns.inode);
	}
	free(list.sockets);

	/* The owner counts if the key has one. */
	key.has_uid = true;
	key.uid = geteuid();
	assert_int_equal(sock_diag_members(&key, &ns, &list, NULL), 0);
	assert_int_equal(list.n, 2);
	free(list.sockets);
	key.uid = geteuid() + 1;
	assert_int_equal(sock_diag_members(&key, &ns, &list, NULL), 0);
	assert_int_equal(list.n, 0);
	free(list.sockets);
	close(wanted[0]);
	close(wanted[1]);
	close(other);
	close(any);
}

static void a_protocol_without_sock_diag(void **state)
{
	enum { UNASSIGNED = 253 }; /* for experiments, RFC 3692 */
	struct sock_diag_list list = { .n = 7 };
	struct reuseport_error err = { 0 };

	(void)state;
	assert_int_equal(sock_diag_dump(UNASSIGNED, 0, &list, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "modprobe"));
	assert_int_equal(list.n, 0);
	assert_null(list.sockets);
}

static void found_by_cookie_and_no_other(void **state)
{
	enum { N = 100 };
	struct sock_diag_socket sockets[N] = { 0 };
	struct sock_diag_list list = { .sockets = sockets, .n = N }, empty = { 0 };
	uint64_t seed = 3;

	(void)state;
	/* Of both halves of a cookie, and even. */
	for (size_t i = 0; i < N; i++)
		sockets[i].cookie = ((uint64_t)next_hash(&seed) << 32 | next_hash(&seed)) & ~1ULL;
	sock_diag_sort(&list);
	for (size_t i = 0; i < N; i++) {
		assert_true(!i || sockets[i - 1].cookie < sockets[i].cookie);
		assert_ptr_equal(sock_diag_find(&list, sockets[i].cookie), &sockets[i]);
		assert_null(sock_diag_find(&list, sockets[i].cookie + 1));
	}
	sock_diag_sort(&empty);
	assert_null(sock_diag_find(&empty, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tcp_listener),
		cmocka_unit_test(v6only_as_it_was_set),
		cmocka_unit_test(connected_udp_sockets_are_for_dump_all),
		cmocka_unit_test(a_udp_queue_is_in_bytes),
		cmocka_unit_test(the_device_of_a_socket),
		cmocka_unit_test(of_one_port_or_of_all),
		cmocka_unit_test(many_sockets),
		cmocka_unit_test(members_have_the_whole_key),
		cmocka_unit_test(a_protocol_without_sock_diag),
		cmocka_unit_test(found_by_cookie_and_no_other),
	};

	return cmocka_run_group_tests_name("sock_diag", tests, NULL, NULL);
}
