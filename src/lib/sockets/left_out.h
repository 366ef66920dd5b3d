/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Left out: members of a group that no array can have, or that cannot be reached, and why. */
#ifndef SOCKETS_LEFT_OUT_H
#define SOCKETS_LEFT_OUT_H

#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

struct left_out {
	enum reuseport_left_out reason;
	uint32_t pid;  /* of a process that has it, 0: none is known */
	char comm[16]; /* its name */
};

/*
 * Say why a member cannot be taken: REUSEPORT_LEFT_OUT_NO if nothing is known that hinders it.
 * Where no process has it open, this looks through the io_uring instances of all.
 */
void left_out_explain(const struct sock_diag_socket *member, const struct socket_owners *owners,
		      struct left_out *left_out);

/* Write it as a clause: "process 12 (go) has it as MPTCP". */
#define LEFT_OUT_TEXT 160
void left_out_text(const struct left_out *left_out, char text[LEFT_OUT_TEXT]);

#endif
