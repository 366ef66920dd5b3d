// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Packets: generates or reads the packets of a simulation, as the options say. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "exit.h"
#include "message.h"
#include "simulate/packets.h"
#include "simulate/packets_file.h"
#include "simulate/packets_pcap.h"

/* Replace the packets by the same ones to list->port. */
static int redirect_packets(struct packet_list *list)
{
	struct reuseport_tuple_list *from = list->tuples;
	const struct reuseport_tuple *tuple;
	struct reuseport_error error;
	int ret = reuseport_tuple_list__new(&list->tuples, &error);

	for (size_t i = 0; !ret && (tuple = reuseport_tuple_list__get(from, i)); i++) {
		REUSEPORT_OPTS(reuseport_tuple, to, .family = tuple->family,
			       .src_port = tuple->src_port, .dst_port = list->port);

		memcpy(to.src, tuple->src, sizeof(to.src));
		memcpy(to.dst, tuple->dst, sizeof(to.dst));
		ret = reuseport_tuple_list__add(list->tuples, &to, &error);
	}
	reuseport_tuple_list__free(from);
	return ret ? exit_failed(&error) : EXIT_DONE;
}

static int generate_packets(struct packet_list *list, const struct options *options,
			    unsigned long seed)
{
	unsigned long n = options->simulate.generate ? options->simulate.generate : PACKETS_DEFAULT;
	struct reuseport_error error;

	list->clients = options->simulate.clients;
	if (reuseport_tuple_list__generate(list->tuples, n, list->clients, seed, &error))
		return exit_failed(&error);
	return list->port ? redirect_packets(list) : EXIT_DONE;
}

/* Report an empty list as an error. */
static int check_not_empty(const struct packet_list *list)
{
	if (reuseport_tuple_list__count(list->tuples))
		return EXIT_DONE;
	if (list->other_target)
		message("%s has no new TCP connection and no UDP datagram of this protocol and to "
			"this port, but %llu others: see --dport and --proto",
			list->path, (unsigned long long)list->other_target);
	else
		message("%s has no new TCP connection and no UDP datagram; other packets: %llu",
			list->path,
			(unsigned long long)(list->not_new + list->not_tcp_udp + list->truncated));
	return EXIT_NO_MATCH;
}

int packets_read(struct packet_list *list, const struct options *options, unsigned long seed)
{
	const struct simulate_options *simulate = &options->simulate;
	struct reuseport_error error;
	int ret;

	*list = (struct packet_list){ .source = "generated", .proto = options->proto };
	/* With --port, the default protocol is that of the attachment. */
	if (options->n_ports && !options->proto)
		list->proto = IPPROTO_TCP;
	if (simulate->dport)
		list->port = simulate->dport;
	else if (options->n_ports)
		list->port = options->ports[0];
	if (reuseport_tuple_list__new(&list->tuples, &error))
		return exit_failed(&error);
	if (!simulate->file && !simulate->pcap)
		return generate_packets(list, options, seed);
	list->source = simulate->file ? "file" : "pcap";
	list->path = simulate->file ? simulate->file : simulate->pcap;
	ret = simulate->file ? packets_file_read(list) : packets_pcap_read(list);
	return ret == EXIT_DONE ? check_not_empty(list) : ret;
}
