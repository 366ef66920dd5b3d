// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl explain: shows which worker a packet would reach, and why. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "exit.h"
#include "filter.h"
#include "message.h"
#include "parse.h"
#include "show/explain.h"

/* Parse --src or --dst: an endpoint with a port that is not 0. */
static bool parse_packet_end(const char *text, int *family, uint8_t addr[16], uint16_t *port,
			     char dev[OPTION_NAME_MAX])
{
	return parse_endpoint(text, family, addr, port, dev) && *port;
}

/* dev: the arrival device, as the addresses have it, or "". */
static bool parse_packet(const struct options *options, struct reuseport_packet *packet,
			 char dev[OPTION_NAME_MAX])
{
	char src_dev[OPTION_NAME_MAX];
	int family;

	*packet = (struct reuseport_packet){
		.sz = sizeof(*packet),
		.proto = options->proto ? options->proto : IPPROTO_TCP,
		.cpu = options->cpu ? (int)strtoul(options->cpu, NULL, 10) : -1,
		.uid = options->uid,
		.has_uid = options->has_uid,
	};
	if (!parse_packet_end(options->src, &family, packet->src, &packet->src_port, src_dev) ||
	    !parse_packet_end(options->dst, &packet->family, packet->dst, &packet->dst_port, dev))
		return options_wrong(options, "--src and --dst must be ADDR:PORT, e.g. "
					      "192.0.2.1:40000 or [2001:db8::1]:40000");
	if (!*dev)
		strcpy(dev, src_dev);
	if ((*src_dev && strcmp(src_dev, dev)) ||
	    (options->dev && *dev && strcmp(options->dev, dev)))
		return options_wrong(options, "--src, --dst and --dev have different devices");
	return family == packet->family ||
	       options_wrong(options, "--src and --dst have different address families");
}

/* Find the index of the device in the network namespace of the packet. */
static bool find_packet_device(const char *dev, struct reuseport_packet *packet)
{
	struct reuseport_error error;

	if (!*dev || !reuseport_device(packet->netns, dev, &packet->ifindex, &error))
		return true;
	exit_failed(&error);
	return false;
}

/* Print it. Return an exit status. */
static int print_explanation(const struct options *options, const struct reuseport_packet *packet,
			     const struct reuseport_explanation *explanation)
{
	int ret = EXIT_DONE;

	if (options->json)
		ret = show_explain_json(packet, explanation);
	else
		show_explain_text(packet, explanation);
	if (ret == EXIT_DONE)
		ret = exit_written();
	if (ret == EXIT_DONE && !explanation->winner && explanation->redirect) {
		message("who gets the packet is not known: %s", explanation->redirect);
		return EXIT_FAILED;
	}
	if (ret == EXIT_DONE && explanation->lookup_by_cpu) {
		message("who gets the packet is not known: it depends on the CPU that handles it, "
			"which --cpu names");
		return EXIT_FAILED;
	}
	return ret == EXIT_DONE && !explanation->winner ? EXIT_NO_MATCH : ret;
}

static int explain_exec(const struct options *options)
{
	struct reuseport_explanation *explanation;
	struct reuseport_explainer *explainer;
	struct reuseport_packet packet;
	struct reuseport_error error;
	char dev[OPTION_NAME_MAX];
	bool failed;
	int ret;

	if (!parse_packet(options, &packet, dev))
		return EXIT_USAGE;
	if (filter_netns_or_own(options, &packet.netns))
		return EXIT_FAILED;
	if (!find_packet_device(options->dev ? options->dev : dev, &packet))
		return EXIT_FAILED;
	if (reuseport_explainer__new(&explainer, &error))
		return exit_failed(&error);
	failed = reuseport_explain(explainer, &packet, &explanation, &error);
	reuseport_explainer__free(explainer);
	if (failed)
		return exit_failed(&error);
	ret = print_explanation(options, &packet, explanation);
	reuseport_explanation__free(explanation);
	return ret;
}

const struct command cmd_explain = {
	.name = "explain",
	.summary = "Show which worker a packet would reach, and why",
	.takes = OPT_ONE_PROTO | OPT_NETNS | OPT_UID | OPT_PACKET | OPT_JSON,
	.exec = explain_exec,
};
