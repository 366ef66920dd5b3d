/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Server hints: how each well-known server turns SO_REUSEPORT on. */
#ifndef SOCKETS_SERVER_HINTS_H
#define SOCKETS_SERVER_HINTS_H

/* Return one clause for a message, by the name of the server's process. */
const char *server_hint_reuseport(const char *comm);

#endif
