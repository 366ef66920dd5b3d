// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_simulation_note_text(): the notes of a simulation, as sentences. */
#include "reuseport_simulate.h"

const char *reuseport_simulation_note_text(unsigned int note)
{
	switch (note) {
	case REUSEPORT_NOTE_STAND_IN:
		return "the kernel's hash is secret, and another one stands in: the shares have the "
		       "right size, but not the same packets";
	case REUSEPORT_NOTE_KEY:
		return "no hash key is given, so a random one is used: by another key the shares have "
		       "the same size, but not the same packets";
	case REUSEPORT_NOTE_CHANCE:
		return "the policy is random: the shares have the right size, but not the same packets";
	case REUSEPORT_NOTE_QUEUES:
		return "all workers are assumed to serve at the same rate: one packet each while as "
		       "many arrive as there are workers";
	case REUSEPORT_NOTE_RECEIVE:
		return "packets are spread over the CPUs by a hash, as network cards do (RSS)";
	case REUSEPORT_NOTE_PLACES:
		return "the worker in slot S is assumed to run on CPU S modulo the number of CPUs";
	case REUSEPORT_NOTE_NO_KEYS:
		return "no key stays with a worker, so the effect of a change is not shown";
	case REUSEPORT_NOTE_ORDER:
		return "the kernel's group is assumed to be in the order of the slots; when a worker "
		       "leaves, the last member takes its place";
	case REUSEPORT_NOTE_EQUAL:
		return "this policy treats all weights other than 0 as equal";
	default:
		return "";
	}
}
