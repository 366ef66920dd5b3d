/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The socket options that put a program on a reuseport group and take it off. */
#ifndef HOST_REUSEPORT_SOCKOPT_H
#define HOST_REUSEPORT_SOCKOPT_H

/* Put the program on the group of this member socket; prog -1 takes it off.
 * Return 0 or -errno. */
int sockopt_set_program(int member, int prog);

#endif
