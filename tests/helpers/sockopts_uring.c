// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Not a program: one setsockopt() by an io_uring of its own. */
#include "sockopts.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETSOCKOPT_COMMAND 3 /* SOCKET_URING_OP_SETSOCKOPT */

/* As Linux 6.7 has struct io_uring_sqe. */
struct command {
	uint8_t opcode, flags;
	uint16_t priority;
	int32_t fd;
	uint32_t command, unused;
	uint32_t level, option;
	uint32_t unused_too[2];
	uint64_t user_data;
	uint16_t more[2];
	uint32_t len;
	uint64_t value;
	uint64_t rest;
};

_Static_assert(sizeof(struct command) == sizeof(struct io_uring_sqe), "a submission");

static void *map(int ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);
}

/* Submits it, and waits for its end. Returns the kernel's result. */
static int run_command(int ring, const struct io_uring_params *params,
		       const struct command *command)
{
	size_t size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	char *rings = map(ring, size, IORING_OFF_SQ_RING);
	struct command *commands = map(ring, sizeof(*commands), IORING_OFF_SQES);

	if (rings == MAP_FAILED || commands == MAP_FAILED)
		return -errno;
	*commands = *command;
	((uint32_t *)(rings + params->sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(rings + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	return ((struct io_uring_cqe *)(rings + params->cq_off.cqes))->res;
}

int sockopts_by_uring(int fd, const struct sockopt_call *call)
{
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params), result;
	struct command command = { .opcode = IORING_OP_URING_CMD,
				   .fd = fd,
				   .command = SETSOCKOPT_COMMAND,
				   .level = call->level,
				   .option = call->option,
				   .len = call->len,
				   .value = (uintptr_t)call->value };

	if (ring < 0)
		return -1;
	result = run_command(ring, &params, &command);
	close(ring);
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}
