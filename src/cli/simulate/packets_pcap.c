// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Packets pcap: reads from a capture the packets for which the steering program would
 * run: TCP SYNs without ACK, and UDP datagrams, over IPv4 and IPv6. The others are
 * counted by reason.
 */
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "message.h"
#include "simulate/packets_pcap.h"

#define ETHER_IP 0x0800
#define ETHER_IPV6 0x86dd

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* The part of a packet that has not been read yet. */
struct rest {
	const uint8_t *at;
	size_t len;
};

enum reading {
	READ_ADDED,
	READ_NOT_TCP_UDP,
	READ_NOT_NEW,
	READ_TRUNCATED,
	READ_NO_MEMORY,
};

static uint16_t read_be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static bool skip_bytes(struct rest *rest, size_t len)
{
	if (rest->len < len)
		return false;
	rest->at += len;
	rest->len -= len;
	return true;
}

/* ------------------------------------------------------------------ transport */

static enum reading read_transport(struct packet_list *list, struct rest rest, int proto,
				   struct reuseport_tuple *tuple)
{
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return READ_NOT_TCP_UDP;
	if (rest.len < (proto == IPPROTO_TCP ? 14 : 8))
		return READ_TRUNCATED;
	tuple->src_port = read_be16(rest.at);
	tuple->dst_port = read_be16(rest.at + 2);
	if (proto == IPPROTO_TCP && (rest.at[13] & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return READ_NOT_NEW;
	return packet_list_add(list, tuple, proto) ? READ_NO_MEMORY : READ_ADDED;
}

/* ------------------------------------------------------------------- addresses */

static enum reading read_ipv4(struct packet_list *list, struct rest rest)
{
	REUSEPORT_OPTS(reuseport_tuple, tuple, .family = AF_INET);
	const uint8_t *ip = rest.at;
	size_t header;

	if (rest.len < 20)
		return READ_TRUNCATED;
	header = (ip[0] & 0xf) * 4;
	if (ip[0] >> 4 != 4 || header < 20)
		return READ_NOT_TCP_UDP;
	/* A later fragment has no ports. */
	if (read_be16(ip + 6) & 0x1fff)
		return READ_NOT_TCP_UDP;
	memcpy(tuple.src, ip + 12, 4);
	memcpy(tuple.dst, ip + 16, 4);
	if (!skip_bytes(&rest, header))
		return READ_TRUNCATED;
	return read_transport(list, rest, ip[9], &tuple);
}

/* Skip the extension headers. Return false, with the reason, if the packet is truncated
 * or a later fragment. */
static bool skip_extensions(struct rest *rest, uint8_t *next, enum reading *why)
{
	*why = READ_TRUNCATED;
	while (*next == IPPROTO_HOPOPTS || *next == IPPROTO_ROUTING || *next == IPPROTO_DSTOPTS ||
	       *next == IPPROTO_FRAGMENT) {
		size_t len;

		if (rest->len < 8)
			return false;
		len = *next == IPPROTO_FRAGMENT ? 8 : (rest->at[1] + 1) * 8;
		if (*next == IPPROTO_FRAGMENT && read_be16(rest->at + 2) & 0xfff8) {
			*why = READ_NOT_TCP_UDP;
			return false;
		}
		*next = rest->at[0];
		if (!skip_bytes(rest, len))
			return false;
	}
	return true;
}

static enum reading read_ipv6(struct packet_list *list, struct rest rest)
{
	REUSEPORT_OPTS(reuseport_tuple, tuple, .family = AF_INET6);
	const uint8_t *ip = rest.at;
	enum reading why;
	uint8_t next;

	if (rest.len < 40)
		return READ_TRUNCATED;
	if (ip[0] >> 4 != 6)
		return READ_NOT_TCP_UDP;
	next = ip[6];
	memcpy(tuple.src, ip + 8, 16);
	memcpy(tuple.dst, ip + 24, 16);
	skip_bytes(&rest, 40);
	if (!skip_extensions(&rest, &next, &why))
		return why;
	return read_transport(list, rest, next, &tuple);
}

static enum reading read_ip(struct packet_list *list, struct rest rest)
{
	if (!rest.len)
		return READ_TRUNCATED;
	return rest.at[0] >> 4 == 6 ? read_ipv6(list, rest) : read_ipv4(list, rest);
}

/* ------------------------------------------------------------------- link types */

static bool is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* Read what follows the EtherType, after any number of VLAN tags. */
static enum reading read_type(struct packet_list *list, struct rest rest, uint16_t type)
{
	while (is_vlan(type)) {
		if (rest.len < 4)
			return READ_TRUNCATED;
		type = read_be16(rest.at + 2);
		skip_bytes(&rest, 4);
	}
	if (type == ETHER_IP)
		return read_ipv4(list, rest);
	return type == ETHER_IPV6 ? read_ipv6(list, rest) : READ_NOT_TCP_UDP;
}

/* Link types: the offset of the protocol's number, and the length of the header. */
static const struct link {
	int type;
	size_t protocol, header;
} links[] = {
	{ DLT_EN10MB, 12, 14 },
	{ DLT_LINUX_SLL, 14, 16 },
	{ DLT_LINUX_SLL2, 0, 20 },
};

static const struct link *find_link(int type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

/* Return whether the link type has no header, or only an address family of four bytes. */
static bool is_raw_ip(int type, size_t *header)
{
	*header = type == DLT_NULL || type == DLT_LOOP ? 4 : 0;
	return *header || type == DLT_RAW || type == DLT_IPV4 || type == DLT_IPV6;
}

static enum reading read_packet(struct packet_list *list, int type, struct rest rest)
{
	const struct link *link = find_link(type);
	uint16_t protocol;
	size_t header;

	if (is_raw_ip(type, &header))
		return skip_bytes(&rest, header) ? read_ip(list, rest) : READ_TRUNCATED;
	if (rest.len < link->header)
		return READ_TRUNCATED;
	protocol = read_be16(rest.at + link->protocol);
	skip_bytes(&rest, link->header);
	return read_type(list, rest, protocol);
}

/* ---------------------------------------------------------------------- a file */

static int read_captured(struct packet_list *list, pcap_t *pcap)
{
	int type = pcap_datalink(pcap), got;
	struct pcap_pkthdr *header;
	const u_char *data;

	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		switch (read_packet(list, type, (struct rest){ data, header->caplen })) {
		case READ_NOT_TCP_UDP:
			list->not_tcp_udp++;
			break;
		case READ_NOT_NEW:
			list->not_new++;
			break;
		case READ_TRUNCATED:
			list->truncated++;
			break;
		case READ_NO_MEMORY:
			message("not enough memory for the packets of %s", list->path);
			return EXIT_FAILED;
		default:
			break;
		}
	}
	if (got == PCAP_ERROR_BREAK)
		return EXIT_DONE;
	message("cannot read %s: %s", list->path, pcap_geterr(pcap));
	return EXIT_FAILED;
}

int packets_pcap_read(struct packet_list *list)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline(list->path, why);
	size_t header;
	int type, ret;

	if (!pcap) {
		message("cannot read %s: %s%s",
			strstr(why, list->path) ? "the capture" : list->path, why,
			strstr(why, "unknown file format") ? "; if it is text, use --file" : "");
		return EXIT_FAILED;
	}
	type = pcap_datalink(pcap);
	if (find_link(type) || is_raw_ip(type, &header)) {
		ret = read_captured(list, pcap);
	} else {
		const char *name = pcap_datalink_val_to_name(type);

		message("%s has link type %s (%d); supported are Ethernet, "
			"Linux cooked, raw IP and BSD loopback",
			list->path, name ? name : "unknown", type);
		ret = EXIT_FAILED;
	}
	pcap_close(pcap);
	return ret;
}
