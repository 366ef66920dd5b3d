// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* sock_diag: list the sockets that could be members of a group on a port. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/netns.h"
#include "sockets/group_key.h"
#include "sockets/sock_diag.h"

/* States as the kernel numbers them (include/net/tcp_states.h). */
#define STATE_ESTABLISHED 1
#define STATE_CLOSE 7
#define STATE_LISTEN 10

static struct sock_diag_socket *sock_diag_append(struct sock_diag_list *list)
{
	struct sock_diag_socket *grown;

	if (list->n == list->room) {
		grown = realloc(list->sockets, (list->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return NULL;
		list->sockets = grown;
		list->room = list->room * 2 + 16;
	}
	return memset(&list->sockets[list->n++], 0, sizeof(*list->sockets));
}

/* One dump in progress. */
struct sock_diag_request {
	int proto;
	uint32_t states;
	struct sock_diag_list *list;
};

static int read_ulp(const struct nlattr *attr, void *data)
{
	struct sock_diag_socket *socket = data;

	if (mnl_attr_get_type(attr) == INET_ULP_INFO_NAME &&
	    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		socket->mptcp = !strcmp(mnl_attr_get_str(attr), "mptcp");
	return MNL_CB_OK;
}

static void read_memory(const struct nlattr *attr, struct sock_diag_socket *socket)
{
	const uint32_t *memory = mnl_attr_get_payload(attr);
	size_t n = mnl_attr_get_payload_len(attr) / sizeof(*memory);

	if (n > SK_MEMINFO_RCVBUF && socket->key.proto == IPPROTO_UDP)
		socket->queue_limit = memory[SK_MEMINFO_RCVBUF];
	if (n > SK_MEMINFO_DROPS)
		socket->drops = memory[SK_MEMINFO_DROPS];
}

static int read_attribute(const struct nlattr *attr, void *data)
{
	struct sock_diag_socket *socket = data;

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY)
		socket->key.v6only = mnl_attr_get_u8(attr);
	else if (mnl_attr_get_type(attr) == INET_DIAG_SOCKOPT &&
		 mnl_attr_get_payload_len(attr) >= sizeof(struct inet_diag_sockopt))
		socket->transparent =
			((const struct inet_diag_sockopt *)mnl_attr_get_payload(attr))->transparent;
	else if (mnl_attr_get_type(attr) == INET_DIAG_ULP_INFO)
		mnl_attr_parse_nested(attr, read_ulp, socket);
	else if (mnl_attr_get_type(attr) == INET_DIAG_SKMEMINFO)
		read_memory(attr, socket);
	return MNL_CB_OK;
}

static int read_socket(const struct nlmsghdr *header, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(header);
	struct sock_diag_request *dump = data;
	struct sock_diag_socket *socket = sock_diag_append(dump->list);

	if (!socket) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	socket->key.sz = sizeof(socket->key);
	socket->key.proto = dump->proto;
	if (dump->proto == IPPROTO_TCP)
		socket->queue_limit = msg->idiag_wqueue;
	mnl_attr_parse(header, sizeof(*msg), read_attribute, socket);
	socket->key.family = msg->idiag_family;
	socket->key.port = ntohs(msg->id.idiag_sport);
	socket->key.ifindex = msg->id.idiag_if;
	memcpy(socket->key.addr, msg->id.idiag_src, msg->idiag_family == AF_INET6 ? 16 : 4);
	memcpy(socket->peer, msg->id.idiag_dst, msg->idiag_family == AF_INET6 ? 16 : 4);
	socket->peer_port = ntohs(msg->id.idiag_dport);
	socket->connected = msg->idiag_state == STATE_ESTABLISHED;
	socket->cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0];
	socket->inode = msg->idiag_inode;
	socket->key.has_uid = true;
	socket->key.uid = msg->idiag_uid;
	socket->queue = msg->idiag_rqueue;
	return MNL_CB_OK;
}

static int send_request(struct mnl_socket *nl, const struct sock_diag_request *dump, int family,
			uint16_t port, unsigned int seq)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *req;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = seq;
	req = mnl_nlmsg_put_extra_header(header, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = dump->proto;
	req->idiag_states = dump->states;
	req->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	/* With that the kernel tells of MPTCP. A listener is not locked for it. */
	if (dump->proto == IPPROTO_TCP)
		req->idiag_ext |= 1 << (INET_DIAG_INFO - 1);
	req->id.idiag_sport = htons(port);
	return mnl_socket_sendto(nl, header, header->nlmsg_len) < 0 ? -errno : 0;
}

/* Read the error code that both kinds of end message begin with. NLMSG_ERROR reports a
 * missing module, or NLMSG_DONE if inet_diag itself is there. */
static int read_end(const struct nlmsghdr *header, void *data)
{
	int code = 0;

	(void)data;
	if (mnl_nlmsg_get_payload_len(header) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(header), sizeof(code));
	if (code >= 0)
		return MNL_CB_STOP;
	errno = -code;
	return MNL_CB_ERROR;
}

static int receive_sockets(struct mnl_socket *nl, unsigned int seq, struct sock_diag_request *dump)
{
	mnl_cb_t ends[] = { [NLMSG_ERROR] = read_end, [NLMSG_DONE] = read_end };
	size_t size = 32768;
	char *buffer = malloc(size);
	unsigned int portid = mnl_socket_get_portid(nl);
	ssize_t len;
	int ret;

	if (!buffer)
		return -ENOMEM;
	do {
		len = mnl_socket_recvfrom(nl, buffer, size);
		ret = len < 0 ? -1 :
				mnl_cb_run2(buffer, len, seq, portid, read_socket, dump, ends,
					    sizeof(ends) / sizeof(ends[0]));
	} while (ret > MNL_CB_STOP);
	if (ret < 0)
		ret = -errno;
	free(buffer);
	return ret;
}

static int dump_family(struct mnl_socket *nl, int family, uint16_t port,
		       struct sock_diag_request *dump)
{
	unsigned int seq = family;
	size_t before = dump->list->n, kept;
	int ret;

	ret = send_request(nl, dump, family, port, seq);
	if (!ret)
		ret = receive_sockets(nl, seq, dump);
	/* The answer of a kernel without IPv6. */
	if (ret == -ENOENT && family == AF_INET6)
		ret = 0;
	/* An older kernel may ignore the port. */
	for (size_t i = kept = before; i < dump->list->n; i++)
		if (!port || dump->list->sockets[i].key.port == port)
			dump->list->sockets[kept++] = dump->list->sockets[i];
	dump->list->n = kept;
	return ret;
}

static int dump_states(int proto, uint16_t port, uint32_t states, struct sock_diag_list *list,
		       struct reuseport_error *err)
{
	struct sock_diag_request dump = { .proto = proto, .states = states, .list = list };
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int ret;

	*list = (struct sock_diag_list){ 0 };
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID)) {
		ret = -errno;
	} else {
		ret = dump_family(nl, AF_INET, port, &dump);
		if (!ret)
			ret = dump_family(nl, AF_INET6, port, &dump);
	}
	if (nl)
		mnl_socket_close(nl);
	if (!ret)
		return 0;
	free(list->sockets);
	*list = (struct sock_diag_list){ 0 };
	if (ret == -ENOENT)
		return fail(err, EOPNOTSUPP,
			    "this kernel has no sock_diag for %s: load its "
			    "module with 'modprobe %s_diag'",
			    group_key_proto_name(proto), group_key_proto_name(proto));
	return fail(err, -ret, "cannot list the %s sockets with sock_diag: %s",
		    group_key_proto_name(proto), strerror(-ret));
}

int sock_diag_dump(int proto, uint16_t port, struct sock_diag_list *list,
		   struct reuseport_error *err)
{
	return dump_states(proto, port, 1u << (proto == IPPROTO_TCP ? STATE_LISTEN : STATE_CLOSE),
			   list, err);
}

int sock_diag_dump_all(int proto, uint16_t port, struct sock_diag_list *list,
		       struct reuseport_error *err)
{
	return dump_states(proto, port,
			   proto == IPPROTO_TCP ? 1u << STATE_LISTEN :
						  1u << STATE_CLOSE | 1u << STATE_ESTABLISHED,
			   list, err);
}

static int by_cookie(const void *a, const void *b)
{
	uint64_t x = ((const struct sock_diag_socket *)a)->cookie;
	uint64_t y = ((const struct sock_diag_socket *)b)->cookie;

	return x < y ? -1 : x > y;
}

void sock_diag_sort(struct sock_diag_list *list)
{
	if (list->n)
		qsort(list->sockets, list->n, sizeof(*list->sockets), by_cookie);
}

static int list_members(const struct reuseport_key *key, const struct netns_ref *ns, bool connected,
			struct sock_diag_list *list, struct reuseport_error *err)
{
	struct netns_visit visit;
	size_t kept = 0;
	int ret;

	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	ret = connected ? sock_diag_dump_all(key->proto, key->port, list, err) :
			  sock_diag_dump(key->proto, key->port, list, err);
	netns_leave(&visit);
	if (ret)
		return ret;
	for (size_t i = 0; i < list->n; i++) {
		list->sockets[i].key.netns = key->netns;
		if (group_key_equal(&list->sockets[i].key, key))
			list->sockets[kept++] = list->sockets[i];
	}
	list->n = kept;
	sock_diag_sort(list);
	return 0;
}

int sock_diag_members(const struct reuseport_key *key, const struct netns_ref *ns,
		      struct sock_diag_list *list, struct reuseport_error *err)
{
	return list_members(key, ns, false, list, err);
}

int sock_diag_members_all(const struct reuseport_key *key, const struct netns_ref *ns,
			  struct sock_diag_list *list, struct reuseport_error *err)
{
	return list_members(key, ns, true, list, err);
}

const struct sock_diag_socket *sock_diag_find(const struct sock_diag_list *list, uint64_t cookie)
{
	struct sock_diag_socket wanted = { .cookie = cookie };

	if (!list->n)
		return NULL;
	return bsearch(&wanted, list->sockets, list->n, sizeof(wanted), by_cookie);
}
