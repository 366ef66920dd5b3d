// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Not a program: the calls that "sockopts" does, in order, with their values. */
#include "sockopts.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#define MPTCP_INFO 1
#define MPTCP_TCPINFO 2
#define MPTCP_SUBFLOW_ADDRS 3
#define MPTCP_FULL_INFO 4

#define CALL(text, of_level, of_option, length, ...)                                         \
	{                                                                                    \
		.name = (text), .level = (of_level), .option = (of_option), .len = (length), \
		__VA_ARGS__                                                                  \
	}
#define SET(level, name, val) CALL(#name, level, name, sizeof(val), .value = &(val), .set = true)
/* With a length that is not the value's. */
#define SET_LEN(level, name, val, length) \
	CALL(#name, level, name, length, .value = (val), .set = true)
#define SET_TEXT(level, name, text) \
	CALL(#name, level, name, sizeof(text) - 1, .value = (text), .set = true)
#define GET(level, name, length) CALL(#name, level, name, length, .set = false)
/* The first bytes of the answer differ. */
#define GET_BUT(level, name, length, first) CALL(#name, level, name, length, .varies = (first))
/* It is asked by the first bytes of the value, and the answer is all of that. */
#define ASK(level, name, length, val, first) \
	CALL(#name, level, name, length, .value = &(val), .value_len = (first))
#define GET_NULL(level, name, length) CALL(#name, level, name, length, .no_buffer = true)
#define GET_NO_LEN(level, name) CALL(#name, level, name, 4, .no_len = true)
#define CALLS(of, array)                                    \
	{                                                   \
		of, array, sizeof(array) / sizeof(*(array)) \
	}

/* -------------------------------------------------------------------- values */

#define FILTER_LEN 4000
#define SOURCES 2000     /* 8 KB */
#define GROUP_SOURCES 62 /* likewise */

static const int zero, one = 1, two = 2, buffer_size = 65536, large_buffer = 1 << 20;
static const unsigned char byte = 16;
static const unsigned long long rate = 123456789;
static const struct linger linger = { 1, 5 };
static const struct timeval timeout = { 3, 250000 };
static const unsigned char zeros[5000];

static struct sock_filter filter_code[FILTER_LEN];
static const struct sock_fprog filter = { FILTER_LEN, filter_code };
static struct tcp_md5sig md5 = { .tcpm_keylen = 16, .tcpm_key = "0123456789abcdef" };

/* No operation, 39 times, and the end of the list. */
static unsigned char ip_options[40];

static const struct ip_mreqn membership = { .imr_multiaddr = { __builtin_bswap32(0xef010203) },
					    .imr_address = { __builtin_bswap32(0x7f000001) } };
static struct {
	struct in_addr group, interface;
	unsigned int mode, n;
	unsigned int sources[SOURCES];
} sources = { .mode = 1 /* MCAST_INCLUDE */, .n = SOURCES };
static struct group_req group4, group6;
static struct {
	struct group_filter head; /* with one source */
	struct sockaddr_storage more[GROUP_SOURCES - 1];
} group_filter4, group_filter6;

static const unsigned char routing_header[24] = { 0, 2, 4 /* type */, [23] = 1 };
static const unsigned char hop_options[8] = { 0, 0, 1, 4 }; /* padding */
static const struct icmp_filter icmp_filter = { 0xfffffffe };
static const struct icmp6_filter icmp6_filter = { { 1, 2, 3, 4, 5, 6, 7, 8 } };
static const int rtnl_link = RTNLGRP_LINK, rtnl_far = 100, tpacket_v2 = TPACKET_V2;
static const struct tpacket_req ring = { 4096, 4, 2048, 8 };
static const struct packet_mreq all_packets = { .mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC };
static const unsigned int subflow_sizes[4] = { 16, 0, 0, 64 }; /* struct mptcp_subflow_data */

void sockopts_prepare(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	for (unsigned int i = 0; i < FILTER_LEN; i++)
		filter_code[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, i);
	filter_code[FILTER_LEN - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 65535);
	for (size_t i = 0; i < sizeof(ip_options) - 1; i++)
		ip_options[i] = 1;
	sources.group = membership.imr_multiaddr;
	sources.interface = membership.imr_address;
	for (unsigned int i = 0; i < SOURCES; i++)
		sources.sources[i] = htonl(0x0a000001 + i);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8);
	*(struct sockaddr_in *)&md5.tcpm_addr = v4;
	group4.gr_interface = group6.gr_interface = 1;
	v4.sin_addr.s_addr = htonl(0xef010204);
	*(struct sockaddr_in *)&group4.gr_group = v4;
	inet_pton(AF_INET6, "ff15::1234", &v6.sin6_addr);
	*(struct sockaddr_in6 *)&group6.gr_group = v6;
	group_filter4.head.gf_interface = group_filter6.head.gf_interface = 1;
	group_filter4.head.gf_group = group4.gr_group;
	group_filter6.head.gf_group = group6.gr_group;
	group_filter4.head.gf_fmode = group_filter6.head.gf_fmode = 1;
	group_filter4.head.gf_numsrc = group_filter6.head.gf_numsrc = GROUP_SOURCES;
	inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	for (unsigned int i = 0; i < GROUP_SOURCES; i++) {
		v4.sin_addr.s_addr = htonl(0x0a000001 + i);
		v6.sin6_addr.s6_addr[15] = i + 1;
		*(struct sockaddr_in *)(group_filter4.head.gf_slist + i) = v4;
		*(struct sockaddr_in6 *)(group_filter6.head.gf_slist + i) = v6;
	}
}

/* --------------------------------------------------------------------- calls */

static const struct sockopt_call tcp_calls[] = {
	GET_BUT(IPPROTO_TCP, TCP_INFO, 256, SOCKOPTS_ALL),
	GET_BUT(IPPROTO_TCP, TCP_INFO, 104, SOCKOPTS_ALL),
	GET_BUT(IPPROTO_TCP, TCP_INFO, 8, SOCKOPTS_ALL),
	GET(IPPROTO_TCP, TCP_INFO, 1), /* the state */
	GET(IPPROTO_TCP, TCP_INFO, 0),
	GET_BUT(IPPROTO_TCP, TCP_INFO, 5000, SOCKOPTS_ALL),
	SET_TEXT(IPPROTO_TCP, TCP_CONGESTION, "reno"),
	GET(IPPROTO_TCP, TCP_CONGESTION, 16),
	GET(IPPROTO_TCP, TCP_CONGESTION, 2),
	SET_TEXT(IPPROTO_TCP, TCP_CONGESTION, "none such"),
	SET_LEN(IPPROTO_TCP, TCP_CONGESTION, zeros, 0),
	SET_LEN(IPPROTO_TCP, TCP_CONGESTION, zeros, sizeof(zeros)),
	SET_TEXT(IPPROTO_TCP, TCP_ULP, "none such"),
	GET(IPPROTO_TCP, TCP_ULP, 16),
	GET(IPPROTO_TCP, TCP_CC_INFO, 64),
	GET(SOL_SOCKET, SO_PEERNAME, 16),
	GET(SOL_SOCKET, SO_PEERNAME, 5),
	GET(SOL_SOCKET, SO_PEERNAME, 128),
	GET(IPPROTO_TCP, TCP_MAXSEG, 4),
	SET(IPPROTO_TCP, TCP_NODELAY, one),
	GET(IPPROTO_TCP, TCP_NODELAY, 4),
	SET_LEN(IPPROTO_TCP, TCP_NODELAY, &one, 2),
	SET_LEN(IPPROTO_TCP, TCP_NODELAY, zeros, sizeof(zeros)),
	SET(IPPROTO_TCP, TCP_MD5SIG, md5),
	SET_LEN(IPPROTO_TCP, TCP_FASTOPEN_KEY, zeros, 16),
	GET(IPPROTO_TCP, TCP_FASTOPEN_KEY, 32),
	SET_TEXT(SOL_SOCKET, SO_BINDTODEVICE, "lo"),
	GET(SOL_SOCKET, SO_BINDTODEVICE, 16),
	GET(SOL_SOCKET, SO_BINDTODEVICE, 3),
	SET_LEN(SOL_SOCKET, SO_BINDTODEVICE, NULL, 0),
	GET(SOL_SOCKET, SO_BINDTODEVICE, 16),
	SET(SOL_SOCKET, SO_LINGER, linger),
	GET(SOL_SOCKET, SO_LINGER, 8),
	SET(SOL_SOCKET, SO_RCVTIMEO, timeout),
	GET(SOL_SOCKET, SO_RCVTIMEO, 16),
	SET(SOL_SOCKET, SO_MAX_PACING_RATE, rate),
	GET(SOL_SOCKET, SO_MAX_PACING_RATE, 8),
	GET(SOL_SOCKET, SO_MAX_PACING_RATE, 4),
	GET_BUT(SOL_SOCKET, SO_COOKIE, 8, SOCKOPTS_ALL),
	GET(SOL_SOCKET, SO_COOKIE, 4),
	SET(SOL_IP, IP_OPTIONS, ip_options),
	GET(SOL_IP, IP_OPTIONS, 40),
	GET(SOL_IP, IP_OPTIONS, 7),
	SET_LEN(SOL_IP, IP_OPTIONS, zeros, 41),
	SET_LEN(SOL_IP, IP_OPTIONS, NULL, 0),
	GET(SOL_IP, IP_OPTIONS, 40),
	SET(SOL_IP, IP_TOS, byte),
	GET(SOL_IP, IP_TOS, 1),
	GET(SOL_IP, IP_TOS, 4),
	GET(SOL_IP, IP_MTU, 4),
};

static const struct sockopt_call mptcp_calls[] = {
	GET_BUT(SOL_MPTCP, MPTCP_INFO, 128, SOCKOPTS_ALL),
	GET(SOL_MPTCP, MPTCP_INFO, 4),
	ASK(SOL_MPTCP, MPTCP_SUBFLOW_ADDRS, 400, subflow_sizes, 16),
	GET(SOL_MPTCP, MPTCP_TCPINFO, 8),
	GET(SOL_MPTCP, MPTCP_FULL_INFO, 8),
	SET_TEXT(IPPROTO_TCP, TCP_CONGESTION, "reno"),
	GET(IPPROTO_TCP, TCP_CONGESTION, 16),
	GET_BUT(IPPROTO_TCP, TCP_INFO, 256, SOCKOPTS_ALL),
	SET(SOL_SOCKET, SO_RCVBUF, buffer_size),
	GET(SOL_SOCKET, SO_RCVBUF, 4),
	SET(IPPROTO_TCP, TCP_NODELAY, one),
	SET(SOL_IP, IP_TOS, byte),
	GET(SOL_IP, IP_TOS, 4),
};

static const struct sockopt_call udp_calls[] = {
	SET(SOL_IP, IP_ADD_MEMBERSHIP, membership),
	SET(SOL_IP, IP_MSFILTER, sources),
	ASK(SOL_IP, IP_MSFILTER, sizeof(sources), sources, 16),
	ASK(SOL_IP, IP_MSFILTER, 15, sources, 16),
	SET(SOL_IP, MCAST_JOIN_GROUP, group4),
	SET(SOL_IP, MCAST_MSFILTER, group_filter4),
	ASK(SOL_IP, MCAST_MSFILTER, sizeof(group_filter4), group_filter4,
	    sizeof(group_filter4.head)),
	SET(SOL_SOCKET, SO_ATTACH_FILTER, filter),
	GET_NULL(SOL_SOCKET, SO_GET_FILTER, 0), /* how many instructions */
	ASK(SOL_SOCKET, SO_GET_FILTER, FILTER_LEN, filter_code, 0),
	SET_LEN(SOL_SOCKET, SO_DETACH_FILTER, NULL, 0),
	SET(SOL_SOCKET, SO_DETACH_FILTER, zero),
	GET(SOL_SOCKET, SO_MEMINFO, 64),
	GET(SOL_SOCKET, SO_PEERNAME, 16),
	SET(SOL_UDP, UDP_CORK, one),
	GET(SOL_UDP, UDP_CORK, 4),
	SET(SOL_IP, IP_PKTINFO, one),
	GET(SOL_IP, IP_MTU, 4),
	SET(SOL_SOCKET, SO_REUSEPORT, one),
	GET(SOL_SOCKET, SO_REUSEPORT, 4),
};

static const struct sockopt_call udp6_calls[] = {
	SET(SOL_IPV6, MCAST_JOIN_GROUP, group6),
	SET(SOL_IPV6, MCAST_MSFILTER, group_filter6),
	ASK(SOL_IPV6, MCAST_MSFILTER, sizeof(group_filter6), group_filter6,
	    sizeof(group_filter6.head)),
	SET(SOL_IPV6, IPV6_RTHDR, routing_header),
	GET(SOL_IPV6, IPV6_RTHDR, 64),
	SET_LEN(SOL_IPV6, IPV6_RTHDR, NULL, 0),
	SET(SOL_IPV6, IPV6_HOPOPTS, hop_options),
	GET(SOL_IPV6, IPV6_HOPOPTS, 64),
	SET_LEN(SOL_IPV6, IPV6_PKTINFO, NULL, 0),
	SET(SOL_IPV6, IPV6_V6ONLY, one),
	SET(SOL_IPV6, IPV6_TCLASS, two),
	GET(SOL_IPV6, IPV6_TCLASS, 4),
	GET(SOL_IPV6, IPV6_FLOWLABEL_MGR, 32),
	SET(SOL_IP, IP_TOS, byte),
};

static const struct sockopt_call unix_calls[] = {
	GET_BUT(SOL_SOCKET, SO_PEERCRED, 12, 4), /* pid, uid, gid */
	GET_BUT(SOL_SOCKET, SO_PEERCRED, 5, 4),
	GET(SOL_SOCKET, SO_PEERGROUPS, 4096),
	SET(SOL_SOCKET, SO_PASSCRED, one),
	GET(SOL_SOCKET, SO_PASSCRED, 4),
	SET(SOL_SOCKET, SO_RCVBUF, buffer_size),
	GET(SOL_SOCKET, SO_RCVBUF, 4),
	GET(SOL_SOCKET, SO_RCVBUF, 2),
	GET(SOL_SOCKET, SO_PEERSEC, 128),
	GET(SOL_SOCKET, SO_PEERNAME, 2),
	SET(SOL_SOCKET, SO_ATTACH_FILTER, filter),
	GET(SOL_SOCKET, SO_ERROR, 4),
};

static const struct sockopt_call netlink_calls[] = {
	SET(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, rtnl_link),
	SET(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, rtnl_far),
	GET(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 64),
	GET(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 4),
	GET(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 0),
	GET(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 5000),
	GET_NULL(SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 0),
	SET(SOL_NETLINK, NETLINK_EXT_ACK, one),
	GET(SOL_NETLINK, NETLINK_EXT_ACK, 4),
	GET(SOL_NETLINK, NETLINK_EXT_ACK, 3),
	SET(SOL_SOCKET, SO_RCVBUFFORCE, large_buffer),
	GET(SOL_SOCKET, SO_RCVBUF, 4),
};

static const struct sockopt_call packet_calls[] = {
	SET(SOL_SOCKET, SO_ATTACH_FILTER, filter),
	SET(SOL_PACKET, PACKET_ADD_MEMBERSHIP, all_packets),
	SET(SOL_PACKET, PACKET_VERSION, tpacket_v2),
	SET(SOL_PACKET, PACKET_RX_RING, ring),
	GET(SOL_PACKET, PACKET_VERSION, 4),
	ASK(SOL_PACKET, PACKET_HDRLEN, 4, tpacket_v2, 4),
	GET_BUT(SOL_PACKET, PACKET_STATISTICS, 8, SOCKOPTS_ALL),
	GET_BUT(SOL_PACKET, PACKET_STATISTICS, 3, SOCKOPTS_ALL),
	SET_TEXT(SOL_SOCKET, SO_BINDTODEVICE, "lo"),
};

static const struct sockopt_call icmp_calls[] = {
	SET(SOL_RAW, ICMP_FILTER, icmp_filter),
	GET(SOL_RAW, ICMP_FILTER, 4),
	GET(SOL_RAW, ICMP_FILTER, 1),
	SET(SOL_IP, IP_HDRINCL, one),
	GET(SOL_IP, IP_HDRINCL, 4),
	SET(SOL_IP, IP_OPTIONS, ip_options),
};

static const struct sockopt_call icmp6_calls[] = {
	SET(SOL_ICMPV6, ICMP6_FILTER, icmp6_filter),
	GET(SOL_ICMPV6, ICMP6_FILTER, 32),
	GET(SOL_ICMPV6, ICMP6_FILTER, 9),
	SET(SOL_RAW, IPV6_CHECKSUM, two),
};

/* A level and options that nobody has. */
#define NO_LEVEL 0x7777
#define NO_OPTION 0x7777

static const struct sockopt_call wrong_calls[] = {
	SET(SOL_SOCKET, NO_OPTION, one),
	GET(SOL_SOCKET, NO_OPTION, 4),
	SET(NO_LEVEL, NO_OPTION, one),
	GET(NO_LEVEL, NO_OPTION, 4),
	SET_LEN(NO_LEVEL, NO_OPTION, zeros, sizeof(zeros)),
	GET(NO_LEVEL, NO_OPTION, 5000),
	SET(IPPROTO_TCP, TCP_NODELAY, one),
	GET(IPPROTO_TCP, TCP_NODELAY, 4),
	SET_LEN(SOL_SOCKET, SO_KEEPALIVE, &one, 0),
	SET_LEN(SOL_SOCKET, SO_KEEPALIVE, &one, -1),
	SET_LEN(SOL_SOCKET, SO_KEEPALIVE, NULL, 4),
	SET_LEN(SOL_SOCKET, SO_KEEPALIVE, NULL, 0),
	SET_LEN(SOL_SOCKET, SO_KEEPALIVE, zeros, sizeof(zeros)),
	SET_LEN(NO_LEVEL, NO_OPTION, &one, -1),
	GET(SOL_SOCKET, SO_KEEPALIVE, 0),
	GET(SOL_SOCKET, SO_KEEPALIVE, -1),
	GET(SOL_SOCKET, SO_KEEPALIVE, 2),
	GET(SOL_SOCKET, SO_KEEPALIVE, 65536),
	GET_NULL(SOL_SOCKET, SO_KEEPALIVE, 4),
	GET_NULL(SOL_SOCKET, SO_KEEPALIVE, 0),
	GET_NO_LEN(SOL_SOCKET, SO_KEEPALIVE),
	GET(NO_LEVEL, NO_OPTION, 0),
	GET_NO_LEN(NO_LEVEL, NO_OPTION),
	SET_LEN(NO_LEVEL, NO_OPTION, NULL, 0),
};

const struct sockopt_calls sockopts_tcp = CALLS("tcp", tcp_calls);
const struct sockopt_calls sockopts_mptcp = CALLS("mptcp", mptcp_calls);
const struct sockopt_calls sockopts_udp = CALLS("udp", udp_calls);
const struct sockopt_calls sockopts_udp6 = CALLS("udp6", udp6_calls);
const struct sockopt_calls sockopts_unix = CALLS("unix", unix_calls);
const struct sockopt_calls sockopts_netlink = CALLS("netlink", netlink_calls);
const struct sockopt_calls sockopts_packet = CALLS("packet", packet_calls);
const struct sockopt_calls sockopts_icmp = CALLS("icmp", icmp_calls);
const struct sockopt_calls sockopts_icmp6 = CALLS("icmp6", icmp6_calls);
const struct sockopt_calls sockopts_wrong = CALLS("wrong", wrong_calls);
