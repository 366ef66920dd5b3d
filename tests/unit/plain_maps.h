/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * An attachment whose maps are plain memory, for the tests of publishing. Sockets, CPUs,
 * nodes and membarrier() are made up: see unit.mk. Each test program includes this once.
 */
#ifndef UNIT_PLAIN_MAPS_H
#define UNIT_PLAIN_MAPS_H

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "policy/table_compile.h"
#include "state/ages.h"
#include "state/publish.h"
#include "state/slot_sockets.h"

#define ROOM 1024
#define CPUS 8
#define NODES 2
#define SLOTS 12

static struct attachment at;
static uint64_t sockets[SLOTS];     /* cookies; 0: the slot is empty */
static struct cpus affinity[SLOTS]; /* of the process pid, which is slot + 1 */
static int32_t incoming[SLOTS];     /* SO_INCOMING_CPU of the sockets */
static unsigned int syncs;          /* calls of membarrier() */
static void (*on_sync)(void);       /* at each of them */
static bool compile_fails;

/* What there was at the last snapshot(). */
static struct control control_before;
static uint16_t *table_before;

bool __wrap_sockarray_holds(int map, unsigned int slot, uint64_t cookie);
bool __wrap_sockarray_holds(int map, unsigned int slot, uint64_t cookie)
{
	(void)map;
	return sockets[slot] == cookie;
}

unsigned int __wrap_topology_nodes(void);
unsigned int __wrap_topology_nodes(void)
{
	return NODES;
}

void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set);
void __wrap_topology_cpus_of_node(unsigned int node, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (unsigned int cpu = node; cpu < CPUS; cpu += NODES)
		cpus_add(set, cpu);
}

int __wrap_cpus_of_process(uint32_t pid, struct cpus *set);
int __wrap_cpus_of_process(uint32_t pid, struct cpus *set)
{
	*set = affinity[pid - 1];
	return 0;
}

int __wrap_slot_sockets_read(int map, struct slot_socket *list, unsigned int n);
int __wrap_slot_sockets_read(int map, struct slot_socket *list, unsigned int n)
{
	(void)map;
	assert_true(n <= SLOTS);
	for (unsigned int slot = 0; slot < n; slot++)
		list[slot] = (struct slot_socket){ .cpu = sockets[slot] ? incoming[slot] : -1 };
	return 0;
}

long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	assert_int_equal(number, SYS_membarrier);
	syncs++;
	if (on_sync)
		on_sync();
	return 0;
}

int __real_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width);
int __wrap_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width);
int __wrap_table_compile(const struct table_spec *c, uint16_t *entries, uint32_t *width)
{
	return compile_fails ? -ENOMEM : __real_table_compile(c, entries, width);
}

/* Return the 16-bit words of half a table, by abi.h: whole lines that hold the
 * entries, struct generations and the weights. */
static size_t words_of_half(void)
{
	return (ROOM + sizeof(struct generations) / 2 + at.view.size.slots + 31) / 32 * 32;
}

static int begin(void **state)
{
	(void)state;
	at = (struct attachment){ .text = "the group", .steering = STEERING_NONE };
	at.entry.slots = SLOTS;
	at.view.size =
		(struct steering_size){ .slots = SLOTS, .table_entries = ROOM, .cpus = CPUS };
	at.view.control = calloc(1, sizeof(struct control));
	at.view.table = calloc(2 * words_of_half(), sizeof(uint16_t));
	at.view.workers = calloc(SLOTS, sizeof(struct worker_entry));
	at.view.cpu_map = calloc(CPUS, sizeof(struct given_cpu));
	at.view.ages = calloc(SLOTS + GROUP_AGES, sizeof(struct age));
	memset(sockets, 0, sizeof(sockets));
	memset(affinity, 0xff, sizeof(affinity));
	memset(incoming, 0xff, sizeof(incoming));
	syncs = 0;
	on_sync = NULL;
	compile_fails = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(table_before);
	table_before = NULL;
	free(at.view.control);
	free(at.view.table);
	free(at.view.workers);
	free(at.view.cpu_map);
	free(at.view.ages);
	return 0;
}

/* Let a worker join that gets work. */
static void seat(unsigned int slot, unsigned int weight)
{
	at.view.workers[slot] = (struct worker_entry){
		.cookie = 1000 + slot, .pid = slot + 1, .state = WORKER_ACTIVE, .weight = weight
	};
	sockets[slot] = 1000 + slot;
}

static int publish(const struct plan_spec *want)
{
	struct reuseport_error err = { 0 };
	int ret = publish_plan(&at, want, &err);

	assert_true(ret == 0 || ret == 1);
	return ret;
}

static void snapshot(void)
{
	size_t bytes = 2 * words_of_half() * sizeof(uint16_t);

	control_before = *at.view.control;
	table_before = realloc(table_before, bytes);
	memcpy(table_before, at.view.table, bytes);
}

static void unchanged_half(unsigned int half)
{
	assert_memory_equal(at.view.table + half * words_of_half(),
			    table_before + half * words_of_half(),
			    words_of_half() * sizeof(uint16_t));
	assert_memory_equal(&at.view.control->plan[half], &control_before.plan[half],
			    sizeof(struct plan));
}

#endif
