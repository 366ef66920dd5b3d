/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* List: what is on the ports of the host, as text and as JSON. */
#ifndef CLI_SHOW_LIST_H
#define CLI_SHOW_LIST_H

#include <reuseport_list.h>

/* The name of a program of classic BPF, which has none. */
#define LIST_CLASSIC "cbpf"

/* Print it as tables. who: with processes. */
void show_list_text(const struct reuseport_listing *listing, bool who);

/* Print it as one JSON document. Return an exit status. */
int show_list_json(const struct reuseport_listing *listing);

#endif
