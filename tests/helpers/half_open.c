/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * half_open: TCP handshakes that stop half-way, from a client that is not there:
 * it lies behind a device of tun, "rp0", that this process makes and reads.
 *   half_open --port P [--count N]
 * The server is at 10.77.0.1, the client at 10.77.0.2. Sends N SYNs, and says
 * "ready" once all are answered. After a newline on standard input it ends the
 * handshakes, and prints "answered N": who got the worker's line, within 5 s.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COUNT_MAX 1000
#define FIRST_PORT 30000
#define WAIT_MS 5000

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct client {
	int tun, port, count;
	uint32_t theirs[COUNT_MAX]; /* the server's first number */
	bool seen[COUNT_MAX], answered[COUNT_MAX];
};

static uint32_t sum(const void *data, size_t len)
{
	const uint16_t *words = data;
	uint32_t total = 0;

	for (size_t i = 0; i < len / 2; i++)
		total += words[i];
	return total;
}

static uint16_t folded(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return ~total;
}

enum kind { SYN, ACK, RST };

static void transmit(const struct client *client, int i, enum kind kind)
{
	struct packet packet = {
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(packet)),
			.saddr = inet_addr("10.77.0.2"),
			.daddr = inet_addr("10.77.0.1") },
		.tcp = { .source = htons(FIRST_PORT + i),
			 .dest = htons(client->port),
			 .seq = htonl(kind == SYN ? 1000 : 1001),
			 .doff = 5,
			 .syn = kind == SYN,
			 .ack = kind == ACK,
			 .rst = kind == RST,
			 .ack_seq = htonl(kind == ACK ? client->theirs[i] + 1 : 0),
			 .window = htons(8192) },
	};

	packet.ip.check = folded(sum(&packet.ip, sizeof(packet.ip)));
	packet.tcp.check = folded(sum(&packet.tcp, sizeof(packet.tcp)) +
				  sum(&packet.ip.saddr, 2 * sizeof(packet.ip.saddr)) +
				  htons(IPPROTO_TCP) + htons(sizeof(packet.tcp)));
	if (write(client->tun, &packet, sizeof(packet)) != sizeof(packet))
		die("write");
}

/* Returns whether that was news. */
static bool take(struct client *client, const uint8_t *data, ssize_t len)
{
	const struct packet *packet = (const void *)data;
	int i = len < (ssize_t)sizeof(*packet) ? -1 : ntohs(packet->tcp.dest) - FIRST_PORT;
	bool *flag;

	if (i < 0 || i >= client->count || packet->ip.protocol != IPPROTO_TCP)
		return false;
	if (packet->tcp.syn)
		client->theirs[i] = ntohl(packet->tcp.seq);
	else if (len == 4 * (packet->ip.ihl + packet->tcp.doff))
		return false;
	flag = packet->tcp.syn ? &client->seen[i] : &client->answered[i];
	if (*flag)
		return false;
	return *flag = true;
}

/* Returns how many more were seen, at most "most". */
static int receive(struct client *client, int most)
{
	int64_t end = now_ms() + WAIT_MS;
	int news = 0;

	while (news < most && now_ms() < end) {
		struct pollfd fd = { client->tun, POLLIN, 0 };
		_Alignas(struct packet) uint8_t data[2048];

		if (poll(&fd, 1, 100) == 1)
			news += take(client, data, read(client->tun, data, sizeof(data)));
	}
	return news;
}

static void make_device(struct client *client)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

	strcpy(request.ifr_name, "rp0");
	client->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (client->tun < 0 || ioctl(client->tun, TUNSETIFF, &request))
		die("tun");
	if (system("ip addr add 10.77.0.1/24 dev rp0 && ip link set rp0 up"))
		die("ip");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "port", 1, NULL, 'p' },
		{ "count", 1, NULL, 'n' },
		{ 0 },
	};
	static struct client client = { .count = 20 };
	int option, answered;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			client.port = number(optarg, 1, 65535);
			break;
		case 'n':
			client.count = number(optarg, 1, COUNT_MAX);
			break;
		default:
			return 2;
		}
	}
	make_device(&client);
	for (int i = 0; i < client.count; i++)
		transmit(&client, i, SYN);
	if (receive(&client, client.count) != client.count)
		die("not all were answered");
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		return 2;
	for (int i = 0; i < client.count; i++)
		transmit(&client, i, ACK);
	answered = receive(&client, client.count);
	/* Nobody waits for the client to close, nor does the namespace. */
	for (int i = 0; i < client.count; i++)
		transmit(&client, i, RST);
	printf("answered %d\n", answered);
	return answered != client.count;
}
