// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The socket options that put a program on a reuseport group and take it off. */
#include <errno.h>
#include <sys/socket.h>

#include "host/reuseport_sockopt.h"

#ifndef SO_ATTACH_REUSEPORT_EBPF
#define SO_ATTACH_REUSEPORT_EBPF 52
#endif
#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

int sockopt_set_program(int member, int prog)
{
	int option = prog < 0 ? SO_DETACH_REUSEPORT_BPF : SO_ATTACH_REUSEPORT_EBPF;
	int value = prog < 0 ? 0 : prog;

	return setsockopt(member, SOL_SOCKET, option, &value, sizeof(value)) ? -errno : 0;
}
