// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Route: find the device on which a packet arrives, and whether it is for this host. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "explain/route.h"

struct route_answer {
	unsigned int type; /* RTN_LOCAL, ... */
	uint32_t ifindex;  /* 0: none */
};

static int read_route_device(const struct nlattr *attr, void *data)
{
	struct route_answer *answer = data;

	if (mnl_attr_get_type(attr) == RTA_OIF)
		answer->ifindex = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(header);
	struct route_answer *answer = data;

	if (header->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	answer->type = msg->rtm_type;
	mnl_attr_parse(header, sizeof(*msg), read_route_device, answer);
	return MNL_CB_STOP;
}

static bool is_link_local(int family, const uint8_t addr[16])
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static int ask_route(struct mnl_socket *nl, const struct lookup_packet *packet,
		     const uint8_t addr[16], bool entry)
{
	unsigned int len = packet->family == AF_INET6 ? 16 : 4;
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *msg;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = 1;
	msg = mnl_nlmsg_put_extra_header(header, sizeof(*msg));
	msg->rtm_family = packet->family;
	msg->rtm_dst_len = len * 8;
	msg->rtm_flags = entry ? RTM_F_FIB_MATCH : 0;
	mnl_attr_put(header, RTA_DST, len, addr);
	/* Every device has link-local addresses, so these need the device. */
	if (packet->ifindex && is_link_local(packet->family, addr))
		mnl_attr_put_u32(header, RTA_OIF, packet->ifindex);
	return mnl_socket_sendto(nl, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int receive_route(struct mnl_socket *nl, struct route_answer *answer)
{
	char buffer[8192];
	ssize_t len = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));

	if (len < 0 ||
	    mnl_cb_run(buffer, len, 1, mnl_socket_get_portid(nl), read_route, answer) < 0)
		return -errno;
	return 0;
}

/*
 * Read the route to an address in the thread's namespace: the kernel's answer or, with
 * "entry", the entry of its table behind the answer. For an address of this host, the
 * entry names the device that has the address, and not lo.
 */
static int get_route(const struct lookup_packet *packet, const uint8_t addr[16], bool entry,
		     struct route_answer *answer)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int ret;

	*answer = (struct route_answer){ .type = RTN_UNSPEC };
	if (!nl)
		return -errno;
	ret = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	if (!ret)
		ret = ask_route(nl, packet, addr, entry);
	if (!ret)
		ret = receive_route(nl, answer);
	mnl_socket_close(nl);
	return ret;
}

static int fail_no_route(const struct lookup_packet *packet, const uint8_t addr[16], int ret,
			 struct reuseport_error *err)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(packet->family, addr, text, sizeof(text));
	return fail(err, EHOSTUNREACH,
		    "no route to %s shows on which device its packets arrive "
		    "(%s): name the device",
		    text, strerror(-ret));
}

/* ------------------------------------------------------------ in a namespace */

/* Return whether that is multicast, or 255.255.255.255, which has no route. */
static bool is_for_many(const struct lookup_packet *packet)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (packet->family == AF_INET6)
		return packet->dst[0] == 0xff;
	return (packet->dst[0] & 0xf0) == 0xe0 || !memcmp(packet->dst, broadcast, 4);
}

int route_kind(const struct lookup_packet *packet, const struct netns_ref *ns,
	       enum route_kind *kind, struct reuseport_error *err)
{
	struct netns_visit visit;
	struct route_answer to;
	int ret;

	*kind = ROUTE_COPIES;
	if (is_for_many(packet))
		return 0;
	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	ret = get_route(packet, packet->dst, true, &to);
	netns_leave(&visit);
	/* An address without a route is not this host's. */
	if (ret || (to.type != RTN_LOCAL && to.type != RTN_BROADCAST))
		*kind = ROUTE_OTHER;
	else if (to.type == RTN_LOCAL)
		*kind = ROUTE_LOCAL;
	return 0;
}

static int find_arrival_device(const struct lookup_packet *packet, uint32_t *ifindex,
			       struct reuseport_error *err)
{
	const uint8_t *addr = packet->src;
	struct route_answer to;
	int ret;

	ret = get_route(packet, addr, false, &to);
	/* IPv4: rt_iif is the device of the table's entry (ip_route_output_key_hash_rcu);
	 * IPv6: the device of the route's inet6_dev (ip6_rcv_core). */
	if (!ret && to.type == RTN_LOCAL) {
		addr = packet->dst;
		ret = get_route(packet, addr, true, &to);
	}
	if (ret || !to.ifindex)
		return fail_no_route(packet, addr, ret ? ret : -ENODEV, err);
	*ifindex = to.ifindex;
	return 0;
}

int route_arrival(const struct lookup_packet *packet, const struct netns_ref *ns, uint32_t *ifindex,
		  struct reuseport_error *err)
{
	struct netns_visit visit;
	int ret;

	/* Several devices may have such an address, and the routes name any of them. */
	if (is_link_local(packet->family, packet->src) ||
	    is_link_local(packet->family, packet->dst))
		return fail(err, EHOSTUNREACH,
			    "a link-local address does not say on which device the packet arrives, "
			    "and a socket on the port is bound to one: name the device");
	ret = netns_enter(ns, &visit, err);
	if (ret)
		return ret;
	ret = find_arrival_device(packet, ifindex, err);
	netns_leave(&visit);
	return ret;
}
