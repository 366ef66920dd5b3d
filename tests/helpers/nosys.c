// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * nosys: runs a command as on a kernel that lacks something, or where it fails.
 *   nosys WHAT CMD [ARG]...
 */
#include <err.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

#define ANY (-1)

static const struct missing {
	const char *what;
	int syscall;
	int arg; /* which argument decides, or ANY */
	unsigned int value;
	int error;
} known[] = {
	{ "bpf", SYS_bpf, ANY, 0, ENOSYS },
	{ "pidfd_open", SYS_pidfd_open, ANY, 0, ENOSYS },                      /* 5.3 */
	{ "pidfd_getfd", SYS_pidfd_getfd, ANY, 0, ENOSYS },                    /* 5.6 */
	{ "detach", SYS_setsockopt, 2, SO_DETACH_REUSEPORT_BPF, ENOPROTOOPT }, /* 5.3 */
	/* It stands in for BPF_PROG_TYPE_SK_REUSEPORT as well (4.19): a filter
	 * does not see a program's type. */
	{ "prog_load", SYS_bpf, 0, BPF_PROG_LOAD, EINVAL },
	/* What something else forbids, or what fails for want of something else. */
	{ "forbidden_pidfd_getfd", SYS_pidfd_getfd, ANY, 0, EPERM },
	{ "forbidden_prog_load", SYS_bpf, 0, BPF_PROG_LOAD, EPERM },
	{ "no_memory", SYS_bpf, 0, BPF_PROG_LOAD, ENOMEM },
};

/* The low half of a 64-bit argument. */
static unsigned int low_half(int arg)
{
	unsigned int offset = offsetof(struct seccomp_data, args) + 8 * arg;

	return offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

static void take_away(const struct missing *m)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, m->syscall, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_half(m->arg == ANY ? 0 : m->arg)),
		BPF_JUMP(BPF_JMP | (m->arg == ANY ? BPF_JGE : BPF_JEQ) | BPF_K, m->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | m->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		err(2, "seccomp");
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "WHAT and a command");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(argv[1], known[i].what))
			continue;
		take_away(&known[i]);
		execvp(argv[2], argv + 2);
		err(2, "%s", argv[2]);
	}
	errx(2, "no such thing to take away: %s", argv[1]);
}
