// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Privileges: give up what the command does not need. */
#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "exit.h"
#include "message.h"
#include "privileges.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

/* The capabilities, and the last one of the privileges that has each. */
static const struct {
	cap_value_t cap;
	enum privileges last;
} needed[] = {
	{ CAP_DAC_OVERRIDE, PRIVILEGES_LOG },
	{ CAP_SYS_RESOURCE, PRIVILEGES_COMMAND },   /* maps count as locked memory before 5.11 */
	{ CAP_SYS_CHROOT, PRIVILEGES_COMMAND },     /* to leave the mount namespace */
	{ CAP_DAC_READ_SEARCH, PRIVILEGES_KEEPER }, /* /proc/PID/fd of other users */
	{ CAP_SYS_PTRACE, PRIVILEGES_KEEPER },      /* the sockets in it */
	{ CAP_NET_ADMIN, PRIVILEGES_KEEPER },
	{ CAP_BPF, PRIVILEGES_KEEPER },
	{ CAP_PERFMON, PRIVILEGES_KEEPER },
	{ CAP_SYS_ADMIN, PRIVILEGES_KEEPER }, /* other namespaces; in place of the two above */
};

/* Copy the flag of a capability from one set to another, which has it not. */
static int copy_flag(cap_t to, cap_t from, cap_flag_t flag, cap_value_t cap)
{
	cap_flag_value_t value = CAP_CLEAR;

	/* A kernel that does not know the capability has no flag of it. */
	if (cap_get_flag(from, cap, flag, &value) || value == CAP_CLEAR)
		return 0;
	return cap_set_flag(to, flag, 1, &cap, CAP_SET);
}

/* Set the process's capabilities to those in "kept" that it has now. */
static int reduce_caps(cap_t now, cap_t kept, enum privileges privileges)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (needed[i].last < privileges)
			continue;
		if (copy_flag(kept, now, CAP_PERMITTED, needed[i].cap) ||
		    copy_flag(kept, now, CAP_EFFECTIVE, needed[i].cap))
			return -1;
	}
	return cap_set_proc(kept);
}

int privileges_keep(enum privileges kept)
{
	cap_t now = cap_get_proc(), reduced = cap_init();
	int ret = now && reduced ? reduce_caps(now, reduced, kept) : -1;

	if (ret)
		message("cannot give up capabilities: %s", strerror(errno));
	cap_free(now);
	cap_free(reduced);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

/* Empty the bounding set. Without CAP_SETPCAP it stays; then there is nothing to be gained
 * by execve() all the same. */
static void empty_bounding_set(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_drop_bound(cap))
			return;
}

int privileges_start(enum privileges kept)
{
	umask(077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		message("cannot give up new privileges: %s", strerror(errno));
		return EXIT_FAILED;
	}
	empty_bounding_set();
	/* This empties the inheritable set and, with it, the ambient one. */
	return privileges_keep(kept);
}
