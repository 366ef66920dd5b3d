// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Left out: members of a group that no array can have, or that cannot be reached, and why. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/caps.h"
#include "host/look.h"
#include "sockets/left_out.h"
#include "sockets/uring_owner.h"

#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU /* its inode: PROC_PID_INIT_INO of the kernel */

const char *reuseport_left_out_name(unsigned int reason)
{
	static const char *const names[] = {
		NULL, "mptcp", "io_uring", "pid-namespace", "no-permission", "sockmap"
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : NULL;
}

/* Return whether processes of the host may be invisible here. */
static bool in_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) || st.st_ino != INITIAL_PID_NAMESPACE;
}

static bool may_look_into_others(void)
{
	char names[64];

	return !caps_missing(CAP_TO_DUPLICATE, names, sizeof(names));
}

/* No process that could be looked at has it open. */
static void explain_unowned(const struct sock_diag_socket *member, struct left_out *left_out)
{
	uint32_t skipped;

	/* A process that does not let itself be looked into may have it, and decides nothing. */
	if (look_skipped(&skipped, 1))
		return;
	if (!may_look_into_others())
		left_out->reason = REUSEPORT_LEFT_OUT_NO_PERMISSION;
	else if (uring_owner_find(member->inode, &left_out->pid, left_out->comm))
		left_out->reason = REUSEPORT_LEFT_OUT_IO_URING;
	else if (in_pid_namespace())
		left_out->reason = REUSEPORT_LEFT_OUT_PID_NAMESPACE;
}

void left_out_explain(const struct sock_diag_socket *member, const struct socket_owners *owners,
		      struct left_out *left_out)
{
	const struct socket_owner *first;
	size_t n = socket_owners_of(owners, member->inode, &first);

	*left_out = (struct left_out){ 0 };
	if (!n && !member->mptcp && !member->sockmap) {
		explain_unowned(member, left_out);
		return;
	}
	if (n) {
		left_out->pid = first->pid;
		memcpy(left_out->comm, first->comm, sizeof(left_out->comm));
	}
	if (member->mptcp)
		left_out->reason = REUSEPORT_LEFT_OUT_MPTCP;
	else if (member->sockmap)
		left_out->reason = REUSEPORT_LEFT_OUT_SOCKMAP;
}

void left_out_text(const struct left_out *left_out, char text[LEFT_OUT_TEXT])
{
	static const char *const whys[] = {
		[REUSEPORT_LEFT_OUT_NO] = "no process that can be looked at has it open",
		[REUSEPORT_LEFT_OUT_MPTCP] =
			"listens with MPTCP, which no program can select: turn "
			"it off there (Go: GODEBUG=multipathtcp=0)",
		[REUSEPORT_LEFT_OUT_IO_URING] =
			"has it among the registered files of an io_uring only, where it cannot be "
			"taken from",
		[REUSEPORT_LEFT_OUT_PID_NAMESPACE] =
			"its process is in another PID namespace: attach from where it is visible",
		[REUSEPORT_LEFT_OUT_NO_PERMISSION] =
			"no permission to look into its process: that needs CAP_SYS_PTRACE",
		[REUSEPORT_LEFT_OUT_SOCKMAP] =
			"has it in a SOCKMAP or SOCKHASH ('bpftool map' lists them): a socket can "
			"be in one such map only",
	};

	if (left_out->pid && left_out->reason)
		snprintf(text, LEFT_OUT_TEXT, "process %u (%s) %s", left_out->pid, left_out->comm,
			 whys[left_out->reason]);
	else
		snprintf(text, LEFT_OUT_TEXT, "%s%s",
			 left_out->reason == REUSEPORT_LEFT_OUT_MPTCP ||
					 left_out->reason == REUSEPORT_LEFT_OUT_SOCKMAP ?
				 "its process " :
				 "",
			 whys[left_out->reason]);
}
