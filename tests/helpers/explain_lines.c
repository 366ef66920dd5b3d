/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Explains many packets at once. Reads what the client printed, "SRC COOKIE" a
 * line, and prints the same lines with what reuseport_explain() says: the cookie
 * of the worker, "-" for nobody, "?" if it is not certain.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <reuseport_bpf.h>
#include <reuseport_explain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static const char usage[] = "explain --to ADDR:PORT [--proto tcp|udp] [--cpu N] < SOURCES\n";

static const struct option options[] = {
	{ "to", required_argument, NULL, 't' },
	{ "proto", required_argument, NULL, 'p' },
	{ "cpu", required_argument, NULL, 'c' },
	{ 0 },
};

static void read_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port)
{
	struct sockaddr_storage at = { 0 };
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;

	endpoint(&at, text);
	*family = at.ss_family;
	*port = ntohs(v4->sin_port);
	memset(addr, 0, 16);
	if (at.ss_family == AF_INET)
		memcpy(addr, &v4->sin_addr, 4);
	else
		memcpy(addr, &v6->sin6_addr, 16);
}

static void print(const char *source, const struct reuseport_explanation *e)
{
	if (!e->winner)
		printf("%s -\n", source);
	else if (e->n_outcomes != 1)
		printf("%s ?\n", source);
	else
		printf("%s %llu\n", source, (unsigned long long)e->outcomes[0]->cookie);
}

int main(int argc, char **argv)
{
	REUSEPORT_OPTS(reuseport_packet, packet, .proto = IPPROTO_TCP, .cpu = -1);
	struct reuseport_explanation *explanation;
	struct reuseport_explainer *explainer;
	struct reuseport_error error;
	const char *to = NULL;
	char source[128];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			to = optarg;
			break;
		case 'p':
			packet.proto = protocol(optarg);
			break;
		case 'c':
			packet.cpu = number(optarg, 0, 8191);
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!to || reuseport_netns(NULL, &packet.netns, &error) ||
	    reuseport_explainer__new(&explainer, &error)) {
		fprintf(stderr, "explain: %s", to ? error.text : usage);
		return 2;
	}
	while (scanf("%127s %*s", source) == 1) {
		read_endpoint(source, &packet.family, packet.src, &packet.src_port);
		read_endpoint(to, &packet.family, packet.dst, &packet.dst_port);
		if (reuseport_explain(explainer, &packet, &explanation, &error)) {
			fprintf(stderr, "explain: %s\n", error.text);
			return 1;
		}
		print(source, explanation);
		reuseport_explanation__free(explanation);
	}
	reuseport_explainer__free(explainer);
	return 0;
}
