// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status look: what the options of "status" select, as it is at one moment. */
#include <stdlib.h>
#include <time.h>

#include "exit.h"
#include "filter.h"
#include "status_look.h"

static uint64_t status_look_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int status_look_append(struct status_look *look, struct reuseport_status_list *list)
{
	size_t more = reuseport_status_list__count(list);
	const struct reuseport_status **grown;

	look->lists[look->n_lists++] = list;
	grown = realloc(look->items, (look->n + more + 1) * sizeof(*grown));
	if (!grown)
		return exit_no_memory();
	look->items = grown;
	for (size_t i = 0; i < more; i++)
		look->items[look->n++] = reuseport_status_list__get(list, i);
	return EXIT_DONE;
}

int status_look(const struct options *options, struct status_look *look)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto, .uid = options->uid,
		       .has_uid = options->has_uid);
	unsigned int ports = options->n_ports ? options->n_ports : 1;
	struct reuseport_status_list *list;
	struct reuseport_error error;
	int ret = EXIT_DONE;

	*look = (struct status_look){ .begun_ns = status_look_time() };
	if (filter_netns(options, &filter.netns) || filter_place(options, &filter))
		return EXIT_FAILED;
	look->lists = calloc(ports, sizeof(*look->lists));
	if (!look->lists)
		return exit_no_memory();
	for (unsigned int i = 0; ret == EXIT_DONE && i < ports; i++) {
		filter.port = options->n_ports ? options->ports[i] : 0;
		if (reuseport_get_status(&filter, &list, &error))
			return exit_failed(&error);
		ret = status_look_append(look, list);
	}
	return ret;
}

void status_look_free(struct status_look *look)
{
	for (size_t i = 0; i < look->n_lists; i++)
		reuseport_status_list__free(look->lists[i]);
	free(look->lists);
	free(look->items);
	*look = (struct status_look){ 0 };
}
