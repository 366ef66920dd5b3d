// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket key: of which group a socket is, or will be, read on a descriptor of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "host/netns_socket.h"
#include "reuseport_group.h"
#include "sockets/pidfd_socket.h"
#include "sockets/socket_key.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static int socket_key_number(int fd, int level, int option, int *value)
{
	socklen_t len = sizeof(*value);

	*value = 0;
	return getsockopt(fd, level, option, value, &len) ? -errno : 0;
}

int socket_key_cookie(int fd, uint64_t *cookie, struct reuseport_error *err)
{
	socklen_t len = sizeof(*cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len))
		return fail(err, errno, "descriptor %d is no socket: %s", fd, strerror(errno));
	return 0;
}

int socket_key_kind(int fd, struct reuseport_key *key, struct reuseport_error *err)
{
	int ret = socket_key_number(fd, SOL_SOCKET, SO_PROTOCOL, &key->proto);

	if (!ret)
		ret = socket_key_number(fd, SOL_SOCKET, SO_DOMAIN, &key->family);
	if (ret)
		return fail(err, -ret, "descriptor %d is no socket: %s", fd, strerror(-ret));
	if (key->proto == IPPROTO_MPTCP)
		return fail(err, EPROTONOSUPPORT,
			    "the socket has MPTCP, which no program can select: make it without");
	if ((key->family != AF_INET && key->family != AF_INET6) ||
	    (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP))
		return fail(err, EPROTONOSUPPORT, "the socket is neither TCP nor UDP");
	if (socket_has_reuseport(fd) != 1)
		return fail(err, EINVAL,
			    "the socket has no SO_REUSEPORT, which is to be set before bind()");
	return 0;
}

bool socket_key_listens(int fd)
{
	int listens;

	return !socket_key_number(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) && listens;
}

/* Read the local address, zero if the socket is not bound. */
static int socket_key_address(int fd, struct reuseport_key *key, struct reuseport_error *err)
{
	struct sockaddr_storage name = { 0 };
	const struct sockaddr_in *v4 = (const void *)&name;
	const struct sockaddr_in6 *v6 = (const void *)&name;
	socklen_t len = sizeof(name);
	int value;

	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return fail(err, errno, "cannot read the socket's address: %s", strerror(errno));
	if (!socket_key_number(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &value))
		key->ifindex = value;
	if (key->family == AF_INET) {
		key->port = ntohs(v4->sin_port);
		memcpy(key->addr, &v4->sin_addr, sizeof(v4->sin_addr));
		return 0;
	}
	key->port = ntohs(v6->sin6_port);
	memcpy(key->addr, &v6->sin6_addr, sizeof(v6->sin6_addr));
	if (!socket_key_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value))
		key->v6only = value;
	return 0;
}

int socket_key_explain_netns(int code, struct reuseport_error *err)
{
	return fail(err, code, "cannot tell the socket's network namespace: %s%s%s", strerror(code),
		    code == EPERM ? "; this needs CAP_NET_ADMIN; " : "",
		    code == EPERM ? caps_advice() : "");
}

/* Read the network namespace. To compare it with this process's own needs no capability. */
static int socket_key_netns(int fd, struct reuseport_key *key, struct reuseport_error *err)
{
	struct netns_ref own = { 0 };
	int ret = reuseport_netns(NULL, &own.inode, err);

	if (!ret)
		ret = netns_cookie(&own.cookie, err);
	if (ret)
		return ret;
	ret = netns_has_socket(&own, fd);
	if (ret > 0) {
		key->netns = own.inode;
		return 0;
	}
	ret = ret ? ret : netns_of_socket(fd, &key->netns);
	return ret ? socket_key_explain_netns(-ret, err) : 0;
}

int reuseport_key_of_socket(int fd, struct reuseport_key *to, struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_key, key);
	struct stat st;
	int ret;

	if (!to || to->sz < sizeof(to->sz))
		return fail(err, EINVAL, "a key is missing, or its sz is not set");
	ret = socket_key_kind(fd, &key, err);
	if (!ret)
		ret = socket_key_address(fd, &key, err);
	if (!ret)
		ret = socket_key_netns(fd, &key, err);
	if (!ret && fstat(fd, &st))
		ret = fail(err, errno, "cannot read the socket's user: %s", strerror(errno));
	if (ret)
		return ret;
	key.uid = st.st_uid;
	key.has_uid = true;
	return reuseport_key_copy(to, &key, err);
}
