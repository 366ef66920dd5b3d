// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl explain: which worker a packet would reach, and why. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "show/explain.h"
#include "words.h"

/* "192.0.2.1:80" or "[2001:db8::1]:80". */
static bool parse_endpoint(const char *text, int *family, uint8_t addr[16], uint16_t *port)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	bool v6 = *text == '[';
	unsigned long number;
	size_t len;

	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1] ||
	    strlen(colon + 1) > 5)
		return false;
	number = strtoul(colon + 1, NULL, 10);
	if (v6 && (colon == text + 1 || colon[-1] != ']'))
		return false;
	len = v6 ? colon - text - 2 : colon - text;
	if (!number || number > 65535 || len >= sizeof(host))
		return false;
	memcpy(host, text + v6, len);
	host[len] = '\0';
	*family = v6 ? AF_INET6 : AF_INET;
	*port = number;
	memset(addr, 0, 16);
	return inet_pton(*family, host, addr) == 1;
}

static bool parse_packet(const struct options *options, struct reuseport_packet *packet)
{
	int family;

	*packet = (struct reuseport_packet){
		.proto = options->proto ? options->proto : IPPROTO_TCP,
		.cpu = options->cpu ? (int)strtoul(options->cpu, NULL, 10) : -1,
	};
	if (!parse_endpoint(options->src, &family, packet->src, &packet->src_port) ||
	    !parse_endpoint(options->dst, &packet->family, packet->dst, &packet->dst_port)) {
		fprintf(stderr, "reuseportctl explain: --src and --dst read ADDR:PORT, as in "
				"192.0.2.1:40000 or [2001:db8::1]:40000\n");
		return false;
	}
	if (family == packet->family)
		return true;
	fprintf(stderr, "reuseportctl explain: --src and --dst are of two address families\n");
	return false;
}

/* The device's index counts in the network namespace of the packet. */
static bool find_device(const struct options *options, struct reuseport_packet *packet)
{
	struct reuseport_error error;

	if (!options->dev)
		return true;
	if (!reuseport_device(packet->netns, options->dev, &packet->ifindex, &error))
		return true;
	fprintf(stderr, "reuseportctl: %s\n", error.text);
	return false;
}

static int explain(const struct options *options)
{
	struct reuseport_explanation *explanation;
	struct reuseport_explainer *explainer;
	struct reuseport_packet packet;
	struct reuseport_error error;
	bool failed, found;

	if (!parse_packet(options, &packet))
		return EXIT_USAGE;
	if (word_netns(options, &packet.netns))
		return EXIT_FAILED;
	if (!packet.netns && reuseport_netns(NULL, &packet.netns, &error))
		return word_failure(&error);
	if (!find_device(options, &packet))
		return EXIT_FAILED;
	if (reuseport_explainer__new(&explainer, &error))
		return word_failure(&error);
	failed = reuseport_explain(explainer, &packet, &explanation, &error);
	reuseport_explainer__free(explainer);
	if (failed)
		return word_failure(&error);
	if (options->json)
		show_explanation_json(&packet, explanation);
	else
		show_explanation_text(&packet, explanation);
	found = explanation->winner;
	reuseport_explanation__free(explanation);
	if (word_written() != EXIT_DONE)
		return EXIT_FAILED;
	return found ? EXIT_DONE : EXIT_NO_MATCH;
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "Tell which worker a packet would reach, and why, step by step",
	.takes = OPT_PROTO | OPT_NETNS | OPT_PACKET | OPT_JSON,
	.exec = explain,
};
