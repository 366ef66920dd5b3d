// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* An explanation as text: numbered steps from the port to the worker. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "show/explain.h"
#include "show/policy_info.h"
#include "table.h"

static void print_address(int family, const uint8_t addr[16], uint16_t port)
{
	struct reuseport_key key = { .family = family, .port = port };
	char endpoint[FORMAT_ENDPOINT_MAX];

	memcpy(key.addr, addr, sizeof(key.addr));
	format_endpoint(&key, endpoint);
	printf("%s", endpoint);
}

static void append_score_part(char *text, size_t size, const char *name, int value)
{
	size_t len = strlen(text);

	if (value)
		snprintf(text + len, size - len, "%s%s %d", len ? " + " : " = ", name, value);
}

/* Write the score and its parts: "3 = any 1 + IPv4 socket 1 + device 1". */
static void write_score(const struct reuseport_candidate *c, char *text, size_t size)
{
	char parts[96] = "";

	append_score_part(parts, sizeof(parts), "any", c->score_base);
	append_score_part(parts, sizeof(parts), "IPv4 socket", c->score_family);
	append_score_part(parts, sizeof(parts), "peer address", c->score_peer_addr);
	append_score_part(parts, sizeof(parts), "peer port", c->score_peer_port);
	append_score_part(parts, sizeof(parts), "device", c->score_device);
	append_score_part(parts, sizeof(parts), "CPU", c->score_cpu);
	if (c->score < 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%d%s", c->score, parts);
}

static const char *candidate_kind(const struct reuseport_candidate *c)
{
	if (c->connected)
		return "connected socket";
	if (!c->group)
		return c->sockets > 1 ? "sockets" : "socket";
	return c->steered ? "steered group" : "group";
}

/* Return whether the candidates are of several users. */
static bool has_several_users(const struct reuseport_explanation *e)
{
	bool several = false;

	for (size_t i = 1; i < e->n_candidates; i++)
		several |= e->candidates[i]->key->uid != e->candidates[0]->key->uid;
	return several;
}

static void print_candidates(const struct reuseport_explanation *e)
{
	static const struct column columns[] = {
		{ "LOCAL", false }, { "UID", true },    { "KIND", false },    { "SOCKETS", true },
		{ "TABLE", false }, { "SCORE", false }, { "VERDICT", false },
	};
	struct libscols_table *table = table_new(columns, 7);
	char endpoint[FORMAT_ENDPOINT_MAX], score[128];

	if (!table)
		return;
	if (!has_several_users(e))
		table_hide(table, 1);
	for (size_t i = 0; i < e->n_candidates; i++) {
		const struct reuseport_candidate *c = e->candidates[i];
		struct libscols_line *line = table_row(table);

		format_endpoint(c->key, endpoint);
		write_score(c, score, sizeof(score));
		table_cell(line, 0, "%s", endpoint);
		table_cell(line, 1, "%u", c->key->uid);
		table_cell(line, 2, "%s", candidate_kind(c));
		table_cell(line, 3, "%zu", c->sockets);
		table_cell(line, 4, "%s", c->table);
		table_cell(line, 5, "%s", score);
		table_cell(line, 6, "%s", c->verdict);
	}
	table_print(table);
}

static void print_worker(const struct reuseport_outcome *c, bool by_cpu)
{
	if (c->slot >= 0)
		printf("slot %d, ", c->slot);
	printf("pid %u (", c->pid);
	format_print(c->comm);
	printf("), cookie %llu", (unsigned long long)c->cookie);
	if (c->slot >= 0)
		printf(", %s, weight %u", reuseport_state_name(c->state), c->weight);
	printf(", queue %u", c->queue);
	if (by_cpu && c->incoming_cpu >= 0)
		printf(", SO_INCOMING_CPU %d", c->incoming_cpu);
}

static void print_step(const struct reuseport_fallback_step *step)
{
	if (step->slot < 0)
		printf("entry %u, no worker", step->entry);
	else
		printf("entry %u, slot %d%s", step->entry, step->slot,
		       step->empty ? ", empty" : "");
}

/* Print the fallback chain: the worker that receives the packet, those tried before it,
 * and those that would follow. */
static void print_chain(const struct reuseport_explanation *e)
{
	for (size_t i = 0; i < e->n_steps; i++) {
		printf((int)i == e->taken_by                    ? "   selected: " :
		       e->taken_by >= 0 && (int)i > e->taken_by ? "   next if it were gone: " :
								  "   tried: ");
		print_step(e->steps[i]);
		putchar('\n');
	}
	if (e->n_steps)
		printf(e->guarded ?
			       "   then any eligible worker, and last the kernel's own pick\n" :
			       "   and last the kernel's own pick\n");
}

static void print_policy_steps(const struct reuseport_explanation *e)
{
	printf("2. policy");
	show_policy_info(e->policy);
	putchar('\n');
	if (e->hash_known)
		printf("3. hash: 0x%08x, SipHash-1-3 of the key\n", e->hash);
	else
		printf("3. hash: not known outside the kernel\n");
	if (!e->policy->table_width)
		printf("4. table: none; the policy uses the order of the kernel's group\n");
	else if (e->row >= 0)
		printf("4. table: row %d, rows of %u entries\n", e->row, e->policy->table_width);
	else
		printf("4. table: rows of %u entries\n", e->policy->table_width);
	print_chain(e);
	if (e->known_flow)
		printf("5. flow: known\n");
}

static void print_decider(const struct reuseport_explanation *e)
{
	if (e->decider == REUSEPORT_POLICY)
		print_policy_steps(e);
	else if (e->decider == REUSEPORT_KERNEL)
		printf("2. no program steers the group: the kernel picks\n");
	else if (e->decider == REUSEPORT_FOREIGN)
		printf("2. another program steers the group: id %u\n", e->program_id);
}

static void print_outcomes(const struct reuseport_explanation *e)
{
	printf("=> ");
	format_print(e->why);
	putchar('\n');
	for (size_t i = 0; i < e->n_outcomes; i++) {
		/* How another program decides is not known. */
		if (e->decider == REUSEPORT_FOREIGN)
			printf("       ?   ");
		else
			printf("   %5.1f%%  ", 100 * e->outcomes[i]->probability);
		print_worker(e->outcomes[i], e->by_incoming_cpu);
		putchar('\n');
	}
}

void show_explain_text(const struct reuseport_packet *packet, const struct reuseport_explanation *e)
{
	printf("%s ", format_proto(packet->proto));
	print_address(packet->family, packet->src, packet->src_port);
	printf(" -> ");
	print_address(packet->family, packet->dst, packet->dst_port);
	putchar('\n');
	if (!e->local)
		printf("   the destination is not an address of this network namespace\n");
	printf("1. sockets on the port, in the order of the kernel's lookup%s\n",
	       e->order_known ? "" : " (the order of equal scores is a guess)");
	if (e->n_candidates)
		print_candidates(e);
	if (e->redirect) {
		printf("   note: ");
		format_print(e->redirect);
		putchar('\n');
	}
	if (!e->winner && e->redirect) {
		printf("=> not known: no socket is on the port itself\n");
		return;
	}
	if (!e->winner) {
		printf("=> no socket: %s\n", packet->proto == IPPROTO_UDP ?
						     "ICMP port unreachable" :
						     "the connection is reset");
		return;
	}
	if (!e->lookup_by_cpu)
		print_decider(e);
	print_outcomes(e);
}
