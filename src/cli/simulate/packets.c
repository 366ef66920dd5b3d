// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Input: the packets of a simulation, made up, from a file or from a capture. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "command.h"
#include "simulate/packets.h"
#include "words.h"

#define GENERATE_DEFAULT 100000

int input_add(struct input *input, const struct reuseport_tuple *tuple, int proto)
{
	if ((input->proto && proto && proto != input->proto) ||
	    (input->port && tuple->dst_port != input->port)) {
		input->others++;
		return 0;
	}
	if (input->n == input->room) {
		size_t room = input->room ? 2 * input->room : 1024;
		struct reuseport_tuple *grown = realloc(input->tuples, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		input->tuples = grown;
		input->room = room;
	}
	input->tuples[input->n++] = *tuple;
	return 0;
}

static int generate(struct input *input, const struct options *options, unsigned long seed)
{
	struct reuseport_error error;

	input->n = options->simulate.generate ? options->simulate.generate : GENERATE_DEFAULT;
	input->clients = options->simulate.clients;
	input->tuples = malloc(input->n * sizeof(*input->tuples));
	if (!input->tuples) {
		fprintf(stderr, "reuseportctl: no memory for %zu packets\n", input->n);
		return EXIT_FAILED;
	}
	if (reuseport_generate(input->tuples, input->n, input->clients, seed, &error))
		return word_failure(&error);
	for (size_t i = 0; input->port && i < input->n; i++)
		input->tuples[i].dst_port = input->port;
	return EXIT_DONE;
}

/* Nothing to go by is no answer. */
static int check_any(const struct input *input)
{
	uint64_t left = input->others + input->later + input->alien + input->cut;

	if (input->n)
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: %s has no new connection and no datagram", input->path);
	if (input->others)
		fprintf(stderr,
			" of the protocol and to the port asked for, but %llu others: see "
			"--dport and --proto",
			(unsigned long long)input->others);
	else
		fprintf(stderr, ": %llu packets are something else", (unsigned long long)left);
	fputc('\n', stderr);
	return EXIT_NO_MATCH;
}

int input_read(struct input *input, const struct options *options, unsigned long seed)
{
	const struct simulate_options *simulate = &options->simulate;
	int ret;

	*input = (struct input){ .from = "generated", .proto = options->proto };
	/* As --port has it, where nothing else is said. */
	if (options->n_ports && !options->proto)
		input->proto = IPPROTO_TCP;
	if (simulate->dport)
		input->port = simulate->dport;
	else if (options->n_ports)
		input->port = options->ports[0];
	if (!simulate->file && !simulate->pcap)
		return generate(input, options, seed);
	input->from = simulate->file ? "file" : "pcap";
	input->path = simulate->file ? simulate->file : simulate->pcap;
	ret = simulate->file ? input_read_file(input) : input_read_pcap(input);
	return ret == EXIT_DONE ? check_any(input) : ret;
}

void input_free(struct input *input)
{
	free(input->tuples);
}
