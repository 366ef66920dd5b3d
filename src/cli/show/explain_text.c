// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Explanations for people: a numbered way from the port to the worker. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "show/explain.h"
#include "show/status.h"
#include "table.h"
#include "words.h"

static void print_address(int family, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = family == AF_INET6;

	inet_ntop(family, addr, text, sizeof(text));
	printf("%s%s%s:%u", v6 ? "[" : "", text, v6 ? "]" : "", port);
}

static void part(char *text, size_t size, const char *name, int value)
{
	size_t len = strlen(text);

	if (value)
		snprintf(text + len, size - len, "%s%s %d", len ? " + " : " = ", name, value);
}

/* "3 = base 1 + family 1 + device 1". */
static void score_text(const struct reuseport_candidate *c, char *text, size_t size)
{
	char parts[96] = "";

	part(parts, sizeof(parts), "any", c->score_base);
	part(parts, sizeof(parts), "IPv4 socket", c->score_family);
	part(parts, sizeof(parts), "peer address", c->score_peer_addr);
	part(parts, sizeof(parts), "peer port", c->score_peer_port);
	part(parts, sizeof(parts), "device", c->score_device);
	if (c->score < 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%d%s", c->score, parts);
}

static const char *kind(const struct reuseport_candidate *c)
{
	if (c->connected)
		return "connected socket";
	if (!c->group)
		return c->sockets > 1 ? "sockets" : "socket";
	return c->steered ? "steered group" : "group";
}

static void candidates_table(const struct reuseport_explanation *e)
{
	static const struct column columns[] = {
		{ "LOCAL", false }, { "KIND", false },  { "SOCKETS", true },
		{ "TABLE", false }, { "SCORE", false }, { "VERDICT", false },
	};
	struct libscols_table *table = table_new(columns, 6);
	char endpoint[80], score[128];

	if (!table)
		return;
	for (size_t i = 0; i < e->n_candidates; i++) {
		const struct reuseport_candidate *c = &e->candidates[i];
		struct libscols_line *line = table_row(table);

		word_endpoint(&c->key, endpoint, sizeof(endpoint));
		score_text(c, score, sizeof(score));
		table_cell(line, 0, "%s", endpoint);
		table_cell(line, 1, "%s", kind(c));
		table_cell(line, 2, "%zu", c->sockets);
		table_cell(line, 3, "%s", c->table);
		table_cell(line, 4, "%s", score);
		table_cell(line, 5, "%s", c->verdict);
	}
	table_print(table);
}

static void print_worker(const struct reuseport_chance *c)
{
	if (c->slot >= 0)
		printf("slot %d, ", c->slot);
	printf("pid %u (%s), cookie %llu", c->pid, c->comm, (unsigned long long)c->cookie);
	if (c->slot >= 0)
		printf(", %s, weight %u", reuseport_state_name(c->state), c->weight);
	printf(", queue %u", c->queue);
}

static void print_try(const struct reuseport_try *try)
{
	if (try->slot < 0)
		printf("entry %u, of nobody", try->entry);
	else
		printf("entry %u, slot %d%s", try->entry, try->slot, try->empty ? ", empty" : "");
}

static void print_policy(const struct reuseport_explanation *e)
{
	printf("2. policy");
	show_rules(&e->rules);
	putchar('\n');
	if (e->hash_known)
		printf("3. hash: 0x%08x, SipHash-1-3 of the key\n", e->hash);
	else
		printf("3. hash: not known from outside\n");
	if (!e->rules.table_width)
		printf("4. table: none, the policy goes by the kernel's own group\n");
	else if (e->row >= 0)
		printf("4. table: row %d, rows of %u entries\n", e->row, e->rules.table_width);
	else
		printf("4. table: rows of %u entries\n", e->rules.table_width);
	for (size_t i = 0; i < e->n_tries; i++) {
		printf((int)i == e->taken_by                    ? "   taken: " :
		       e->taken_by >= 0 && (int)i > e->taken_by ? "   if that were gone: " :
								  "   tried: ");
		print_try(&e->tries[i]);
		putchar('\n');
	}
	if (e->n_tries)
		printf(e->guarded ?
			       "   then any worker that may get work, and last the kernel's own "
			       "pick\n" :
			       "   and last the kernel's own pick\n");
	if (e->known_flow)
		printf("5. flow: known\n");
}

const char *show_decider(enum reuseport_decider decider)
{
	static const char *const names[] = {
		[REUSEPORT_NOBODY] = "nobody", [REUSEPORT_SOCKET] = "socket",
		[REUSEPORT_KERNEL] = "kernel", [REUSEPORT_FOREIGN] = "foreign",
		[REUSEPORT_POLICY] = "policy",
	};

	return names[decider];
}

static void print_decider(const struct reuseport_explanation *e)
{
	if (e->decider == REUSEPORT_POLICY)
		print_policy(e);
	else if (e->decider == REUSEPORT_KERNEL)
		printf("2. nothing steers the group: the kernel picks\n");
	else if (e->decider == REUSEPORT_FOREIGN)
		printf("2. another program steers the group: id %u\n", e->program_id);
}

static void print_chances(const struct reuseport_explanation *e)
{
	printf("=> %s\n", e->why);
	for (size_t i = 0; i < e->n_chances; i++) {
		printf("   %5.1f%%  ", 100 * e->chances[i].share);
		print_worker(&e->chances[i]);
		putchar('\n');
	}
}

void show_explanation_text(const struct reuseport_packet *packet,
			   const struct reuseport_explanation *e)
{
	printf("%s ", word_proto(packet->proto));
	print_address(packet->family, packet->src, packet->src_port);
	printf(" -> ");
	print_address(packet->family, packet->dst, packet->dst_port);
	putchar('\n');
	if (!e->local)
		printf("   the destination is no address of this network namespace\n");
	printf("1. sockets on the port, in the order of the kernel's lookup%s\n",
	       e->order_known ? "" : " (the order of equals is a guess)");
	if (e->n_candidates)
		candidates_table(e);
	if (!e->winner) {
		printf("=> nobody: %s\n", packet->proto == IPPROTO_UDP ? "ICMP port unreachable" :
									 "the connection is reset");
		return;
	}
	print_decider(e);
	print_chances(e);
}
