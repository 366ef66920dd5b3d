// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Listing owners: the processes that have the sockets of each row. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/listing_owners.h"
#include "error.h"
#include "sockets/left_out.h"
#include "sockets/socket_owners.h"

/* Of a row: an owner of one socket. */
struct row_owner {
	const struct socket_owner *owner;
	bool serves;
};

/* The owners of a row's sockets. */
struct row_owners {
	struct row_owner *list;
	size_t n, room;
};

static int row_owners_add(struct row_owners *all, const struct socket_owner *owner, bool serves)
{
	struct row_owner *grown;

	if (all->n == all->room) {
		grown = realloc(all->list, (all->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		all->list = grown;
		all->room = all->room * 2 + 16;
	}
	all->list[all->n++] = (struct row_owner){ owner, serves };
	return 0;
}

static int by_owner_pid(const void *a, const void *b)
{
	uint32_t x = ((const struct row_owner *)a)->owner->pid;
	uint32_t y = ((const struct row_owner *)b)->owner->pid;

	return x < y ? -1 : x > y;
}

static int by_sockets_served(const void *a, const void *b)
{
	const struct reuseport_process *x = a, *y = b;

	if (x->serves != y->serves)
		return x->serves > y->serves ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Put the owners together by process. */
static int row_add_processes(struct listing_row *row, const struct row_owners *all)
{
	struct reuseport_process *process = NULL;

	if (all->n)
		qsort(all->list, all->n, sizeof(*all->list), by_owner_pid);
	for (size_t i = 0; i < all->n; i++) {
		const struct socket_owner *owner = all->list[i].owner;

		if (!process || process->pid != owner->pid) {
			process = item_list_add(&row->processes, sizeof(*process));
			if (!process)
				return -ENOMEM;
			process->pid = owner->pid;
			memcpy(process->comm, owner->comm, sizeof(process->comm));
		}
		process->has++;
		process->serves += all->list[i].serves;
	}
	item_list_sort(&row->processes, by_sockets_served);
	return 0;
}

/* No process was seen that has the socket. */
static void row_note_unowned(struct listing_row *row, const struct sock_diag_socket *socket,
			     const struct socket_owners *owners)
{
	struct left_out why;

	/* To find out looks through all processes: for the first socket only. */
	if (!row->listed.unowned++) {
		left_out_explain(socket, owners, &why);
		row->listed.unowned_reason = why.reason;
	}
}

static int row_take_owners(struct listing_row *row, const struct socket_owners *owners)
{
	struct row_owners all = { 0 };
	int ret = 0;

	for (size_t i = 0; !ret && i < row->n_sockets; i++) {
		const struct socket_owner *first, *server;
		size_t n = socket_owners_of(owners, row->sockets[i].inode, &first);

		if (!n)
			row_note_unowned(row, &row->sockets[i], owners);
		server = n ? socket_owners_server(first, n) : NULL;
		for (size_t k = 0; !ret && k < n; k++)
			ret = row_owners_add(&all, &first[k], &first[k] == server);
	}
	if (!ret)
		ret = row_add_processes(row, &all);
	free(all.list);
	row->listed.looked = true;
	row->listed.processes = (const struct reuseport_process *const *)row->processes.items;
	row->listed.n_processes = row->processes.n;
	return ret;
}

static struct wanted_socket *listing_wanted(const struct item_list *rows, size_t *n)
{
	struct wanted_socket *wanted;
	size_t all = 0;

	for (size_t i = 0; i < rows->n; i++)
		all += ((const struct listing_row *)rows->items[i])->n_sockets;
	wanted = calloc(all + 1, sizeof(*wanted));
	*n = 0;
	for (size_t i = 0; wanted && i < rows->n; i++) {
		const struct listing_row *row = rows->items[i];

		for (size_t k = 0; k < row->n_sockets; k++)
			wanted[(*n)++] = (struct wanted_socket){ row->sockets[k].inode,
								 row->sockets[k].key.uid };
	}
	return wanted;
}

int listing_read_owners(struct listing_reading *reading)
{
	const struct item_list *rows = &reading->listing->rows;
	struct reuseport_error why = { .text = "too many processes do not let themselves be "
					       "inspected" };
	struct socket_owners owners = { 0 };
	size_t n;
	struct wanted_socket *wanted = listing_wanted(rows, &n);
	int ret = wanted ? socket_owners_scan(wanted, n, OWNERS_SERVING, &owners) : -ENOMEM;

	free(wanted);
	if (ret == -EBUSY || ret == -ETIMEDOUT)
		return listing_add_unseen(reading, "processes", 0, "", &why);
	for (size_t i = 0; !ret && i < rows->n; i++)
		ret = row_take_owners(rows->items[i], &owners);
	free(owners.list);
	return ret ? fail(reading->err, -ret,
			  "cannot look which processes have the sockets open: %s", strerror(-ret)) :
		     0;
}
