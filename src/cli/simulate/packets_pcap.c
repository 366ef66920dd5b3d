// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Packets from a capture: what the steering program would run for, TCP SYNs
 * without ACK and UDP datagrams, over IPv4 and IPv6. The rest is counted.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "simulate/packets.h"

#define ETHER_IP 0x0800
#define ETHER_IPV6 0x86dd

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* What is left of a packet. */
struct rest {
	const uint8_t *at;
	size_t len;
};

enum reading {
	READ_TAKEN,
	READ_ALIEN,
	READ_LATER,
	READ_CUT,
	READ_NO_MEMORY,
};

static uint16_t half(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static bool skip(struct rest *rest, size_t len)
{
	if (rest->len < len)
		return false;
	rest->at += len;
	rest->len -= len;
	return true;
}

/* ------------------------------------------------------------------ transport */

static enum reading read_transport(struct input *input, struct rest rest, int proto,
				   struct reuseport_tuple *tuple)
{
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return READ_ALIEN;
	if (rest.len < (proto == IPPROTO_TCP ? 14 : 8))
		return READ_CUT;
	tuple->src_port = half(rest.at);
	tuple->dst_port = half(rest.at + 2);
	if (proto == IPPROTO_TCP && (rest.at[13] & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return READ_LATER;
	return input_add(input, tuple, proto) ? READ_NO_MEMORY : READ_TAKEN;
}

/* ------------------------------------------------------------------- addresses */

static enum reading read_ipv4(struct input *input, struct rest rest)
{
	struct reuseport_tuple tuple = { .family = AF_INET };
	const uint8_t *ip = rest.at;
	size_t header;

	if (rest.len < 20)
		return READ_CUT;
	header = (ip[0] & 0xf) * 4;
	if (ip[0] >> 4 != 4 || header < 20)
		return READ_ALIEN;
	/* A later fragment has no ports. */
	if (half(ip + 6) & 0x1fff)
		return READ_ALIEN;
	memcpy(tuple.src, ip + 12, 4);
	memcpy(tuple.dst, ip + 16, 4);
	if (!skip(&rest, header))
		return READ_CUT;
	return read_transport(input, rest, ip[9], &tuple);
}

/* Behind the extension headers; false: cut, or a later fragment. */
static bool skip_extensions(struct rest *rest, uint8_t *next, enum reading *why)
{
	*why = READ_CUT;
	while (*next == IPPROTO_HOPOPTS || *next == IPPROTO_ROUTING || *next == IPPROTO_DSTOPTS ||
	       *next == IPPROTO_FRAGMENT) {
		size_t len;

		if (rest->len < 8)
			return false;
		len = *next == IPPROTO_FRAGMENT ? 8 : (rest->at[1] + 1) * 8;
		if (*next == IPPROTO_FRAGMENT && half(rest->at + 2) & 0xfff8) {
			*why = READ_ALIEN;
			return false;
		}
		*next = rest->at[0];
		if (!skip(rest, len))
			return false;
	}
	return true;
}

static enum reading read_ipv6(struct input *input, struct rest rest)
{
	struct reuseport_tuple tuple = { .family = AF_INET6 };
	const uint8_t *ip = rest.at;
	enum reading why;
	uint8_t next;

	if (rest.len < 40)
		return READ_CUT;
	if (ip[0] >> 4 != 6)
		return READ_ALIEN;
	next = ip[6];
	memcpy(tuple.src, ip + 8, 16);
	memcpy(tuple.dst, ip + 24, 16);
	skip(&rest, 40);
	if (!skip_extensions(&rest, &next, &why))
		return why;
	return read_transport(input, rest, next, &tuple);
}

static enum reading read_ip(struct input *input, struct rest rest)
{
	if (!rest.len)
		return READ_CUT;
	return rest.at[0] >> 4 == 6 ? read_ipv6(input, rest) : read_ipv4(input, rest);
}

/* ------------------------------------------------------------------- link types */

static bool is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* By the protocol's number, which may be that of a VLAN's tag, once or more. */
static enum reading read_type(struct input *input, struct rest rest, uint16_t type)
{
	while (is_vlan(type)) {
		if (rest.len < 4)
			return READ_CUT;
		type = half(rest.at + 2);
		skip(&rest, 4);
	}
	if (type == ETHER_IP)
		return read_ipv4(input, rest);
	return type == ETHER_IPV6 ? read_ipv6(input, rest) : READ_ALIEN;
}

/* Where a link type has the number of the protocol, and how long its header is. */
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

/* Whether IP comes at once, or behind a family of four bytes. */
static bool is_raw(int type, size_t *header)
{
	*header = type == DLT_NULL || type == DLT_LOOP ? 4 : 0;
	return *header || type == DLT_RAW || type == DLT_IPV4 || type == DLT_IPV6;
}

static enum reading read_packet(struct input *input, int type, struct rest rest)
{
	const struct link *link = find_link(type);
	uint16_t protocol;
	size_t header;

	if (is_raw(type, &header))
		return skip(&rest, header) ? read_ip(input, rest) : READ_CUT;
	if (rest.len < link->header)
		return READ_CUT;
	protocol = half(rest.at + link->protocol);
	skip(&rest, link->header);
	return read_type(input, rest, protocol);
}

/* ---------------------------------------------------------------------- a file */

static int read_packets(struct input *input, pcap_t *pcap)
{
	int type = pcap_datalink(pcap), got;
	struct pcap_pkthdr *header;
	const u_char *data;

	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		switch (read_packet(input, type, (struct rest){ data, header->caplen })) {
		case READ_ALIEN:
			input->alien++;
			break;
		case READ_LATER:
			input->later++;
			break;
		case READ_CUT:
			input->cut++;
			break;
		case READ_NO_MEMORY:
			fprintf(stderr,
				"reuseportctl: %s has more packets than there is memory "
				"for\n",
				input->path);
			return EXIT_FAILED;
		default:
			break;
		}
	}
	if (got == PCAP_ERROR_BREAK)
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: cannot read %s: %s\n", input->path, pcap_geterr(pcap));
	return EXIT_FAILED;
}

int input_read_pcap(struct input *input)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline(input->path, why);
	size_t header;
	int type, ret;

	if (!pcap) {
		fprintf(stderr, "reuseportctl: cannot read %s: %s%s\n",
			strstr(why, input->path) ? "the capture" : input->path, why,
			strstr(why, "unknown file format") ? "; is it text, for --file?" : "");
		return EXIT_FAILED;
	}
	type = pcap_datalink(pcap);
	if (find_link(type) || is_raw(type, &header)) {
		ret = read_packets(input, pcap);
	} else {
		const char *name = pcap_datalink_val_to_name(type);

		fprintf(stderr,
			"reuseportctl: %s is of link type %s (%d): there are Ethernet, "
			"Linux cooked, raw IP and BSD loopback\n",
			input->path, name ? name : "unknown", type);
		ret = EXIT_FAILED;
	}
	pcap_close(pcap);
	return ret;
}
