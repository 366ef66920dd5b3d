// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status as text: a heading for each group, and a table of its workers. */
#include <netinet/in.h>
#include <stdio.h>

#include "format.h"
#include "show/policy_info.h"
#include "show/status.h"

#define LOOK_USUAL_NS 3000000000ULL

/* Print which fallback modes are in use: nothing if there are none. */
static void print_degraded(const struct reuseport_status *status)
{
	const struct reuseport_modes *modes = status->modes;
	const struct {
		bool degraded;
		const char *text;
	} lines[] = {
		{ !modes->migrates && status->key->proto == IPPROTO_TCP,
		  "a listener that closes resets its waiting connections: drain it first" },
		{ !modes->events && status->keeper_running,
		  "the keeper polls for joins and leaves, ten times a second" },
		{ !modes->iterators, "another tool's program on the group cannot be detected" },
		{ !modes->plain_reads,
		  "the program reads the kernel's sockets by probe reads, which is slower" },
		{ !modes->mmapped, "tables are written by system calls" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].degraded)
			printf("  %s\n", lines[i].text);
}

/* Print the options that say which port is meant. */
static void print_place(const struct reuseport_status *status)
{
	printf(" --port %u%s", status->key->port,
	       status->key->proto == IPPROTO_UDP ? " --proto udp" : "");
	show_netns(status->key, status->netns_name, " --netns ");
}

/* Name the groups on the same port that are not steered, with the command that changes that. */
static void print_unsteered(const struct reuseport_status *status)
{
	char endpoint[FORMAT_ENDPOINT_MAX];

	if (!status->n_unsteered)
		return;
	printf("  on this port, but not steered: ");
	for (size_t i = 0; i < status->n_unsteered; i++) {
		const struct reuseport_unsteered *group = status->unsteered[i];

		format_endpoint(group->key, endpoint);
		printf("%s%s (%u socket%s)", i ? ", " : "", endpoint, group->sockets,
		       group->sockets == 1 ? "" : "s");
	}
	printf("%s; to steer it too: 'reuseportctl attach",
	       status->n_unsteered == REUSEPORT_UNSTEERED_MAX ? ", and maybe others" : "");
	print_place(status);
	puts("'");
}

/* Print how old the keeper's knowledge of the program is, if it is older than usual. */
static void print_look(const struct reuseport_status *status)
{
	char age[FORMAT_AGE_MAX];

	if (!status->keeper_running || !status->looked_ns ||
	    status->looked_ns + LOOK_USUAL_NS > status->taken_ns)
		return;
	format_age(status->looked_ns, status->taken_ns, age);
	printf("  the keeper looked %s ago whether the group has its program\n", age);
}

#define AGE_CLAUSE_MAX (FORMAT_AGE_MAX + 8)

/* Write how long something has been so, as the end of a sentence: ", for 5m", or "" if that is not
 * known. */
static void write_age(const struct reuseport_status *status, uint64_t since_ns,
		      char text[AGE_CLAUSE_MAX])
{
	char age[FORMAT_AGE_MAX];

	text[0] = '\0';
	if (!since_ns)
		return;
	format_age(since_ns, status->taken_ns, age);
	snprintf(text, AGE_CLAUSE_MAX, ", for %s", age);
}

static void print_rollout(const struct reuseport_status *status)
{
	const struct reuseport_generations *g = status->generations;
	char age[AGE_CLAUSE_MAX];

	if (g->phase == REUSEPORT_ROLLOUT_NONE)
		return;
	write_age(status, status->rollout_ns, age);
	if (g->phase == REUSEPORT_ROLLOUT_BEGUN)
		printf("  rollout begun: generation %u waits, generation %u serves%s\n", g->other,
		       g->serving, age);
	else
		printf("  rollout switched: generation %u serves%s; finish or abort\n", g->serving,
		       age);
}

/* While the kernel's order decides, it picks among all members. */
static void print_unregistered(const struct reuseport_status *status)
{
	bool one = status->unregistered == 1;
	const char *them = one ? "it" : "them";
	char age[AGE_CLAUSE_MAX];

	if (!status->unregistered)
		return;
	write_age(status, status->left_out_ns, age);
	printf("  %u group member%s without a slot: ", status->unregistered, one ? "" : "s");
	if (status->policy->table_width || !status->attached)
		printf("the policy does not select %s%s\n", them, age);
	else
		printf("the kernel picks %s too%s; a drain or another policy ends that\n", them,
		       age);
}

static void print_heading(const struct reuseport_status *status, bool uid)
{
	show_policy_group(status->key, status->netns_name, uid);
	printf("  policy");
	show_policy_info(status->policy);
	printf("  program %u ", status->program_id);
	format_print(status->program_name);
	if (status->keeper_running)
		printf("  keeper %u\n", status->keeper_pid);
	else
		printf("\n  no keeper: new workers are not detected; attach again\n");
	if (!status->attached && (status->n_workers || status->unregistered)) {
		printf("  NOT STEERED: this program is not on the group any more%s; to put it "
		       "back: 'reuseportctl attach",
		       status->foreign ? ", another one is" : "");
		print_place(status);
		printf("%s'\n", status->foreign ? " --force" : "");
	}
	print_look(status);
	print_rollout(status);
	if (status->admit_manual) {
		printf("  new workers wait for 'reuseportctl admit");
		print_place(status);
		puts("'");
	}
	print_degraded(status);
	print_unregistered(status);
	if (status->connected_sockets)
		printf("  %u connected socket%s, each with the datagrams of its peer\n",
		       status->connected_sockets, status->connected_sockets == 1 ? "" : "s");
	if (status->transparent)
		printf("  IP_TRANSPARENT: UDP that a TPROXY rule redirects here is not steered: no "
		       "program sees it\n");
	print_unsteered(status);
}

static void print_count(const char *name, uint64_t count)
{
	if (count)
		printf(", %s %llu", name, (unsigned long long)count);
}

static void print_totals(const struct reuseport_counters *c)
{
	printf("packets %llu = selected %llu + fallback %llu",
	       (unsigned long long)(c->packets + c->migrations),
	       (unsigned long long)(c->selected + c->migrated),
	       (unsigned long long)reuseport_counters__fallback(c));
	print_count("migrated", c->migrated);
	print_count("next best used", c->next_best);
	print_count("slot empty", c->empty);
	print_count("slot refused", c->refused);
	print_count("choices exhausted", c->exhausted);
	print_count("no eligible worker", c->nobody);
	print_count("unregistered member", c->unregistered);
	print_count("connected socket", c->connected);
	print_count("SO_INCOMING_CPU", c->incoming_cpu);
	print_count("group unreadable", c->unreadable);
	putchar('\n');
}

static void print_flows(const struct reuseport_status *status)
{
	const struct reuseport_counters *c = status->counters;

	if (!status->flows)
		return;
	printf("sticky flows %llu of %u", (unsigned long long)status->flows_occupied,
	       status->flows);
	if (status->idle_s)
		printf(", idle after %u s", status->idle_s);
	print_count("entered", c->flows);
	print_count("evicted", c->flows_evicted);
	print_count("moved", c->flows_moved);
	putchar('\n');
}

/* What the workers that have gone were given is in the group's totals, and in no row. */
static void print_gone_workers(const struct reuseport_status *status)
{
	if (status->gone_selected || status->gone_migrated)
		printf("gone workers: %llu look-ups",
		       (unsigned long long)(status->gone_selected + status->gone_migrated));
	if (status->gone_migrated)
		printf(", %llu of them migrated", (unsigned long long)status->gone_migrated);
	if (status->gone_selected || status->gone_migrated)
		putchar('\n');
}

static void print_interval(const struct status_interval *interval)
{
	if (!interval)
		return;
	if (!interval->known) {
		puts("the look before did not show this group");
		return;
	}
	printf("in %.3f s: selected %llu, %.1f a second; fallback %llu", interval->seconds,
	       (unsigned long long)interval->selected, interval->selected / interval->seconds,
	       (unsigned long long)interval->fallback);
	if (interval->gone)
		printf("; gone workers: %llu", (unsigned long long)interval->gone);
	putchar('\n');
}

static void print_attachment(const struct shown_status *shown, bool uid)
{
	const struct reuseport_status *status = shown->status;

	if (status->damaged) {
		show_policy_group(status->key, status->netns_name, uid);
		puts("  pins damaged or of another version: attach again; if that fails, detach first");
		return;
	}
	print_heading(status, uid);
	if (status->n_workers || status->n_left_out)
		show_status_table(shown);
	if (!status->n_workers)
		puts("  no workers");
	print_totals(status->counters);
	print_gone_workers(status);
	print_interval(shown->interval);
	print_flows(status);
}

void show_status_text(const struct shown_status *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool twin = false;

		if (i)
			putchar('\n');
		for (size_t k = 0; k < n; k++)
			twin |= format_needs_uid(list[i].status->key, list[k].status->key);
		print_attachment(&list[i], twin);
	}
}
