// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * foreign: does to the group of a running worker what another tool would.
 *   foreign PID pass OBJECT     attaches a program that uses no array
 *   foreign PID array OBJECT    one whose array holds the sockets of PID
 *   foreign PID sockmap OBJECT  puts its first socket into a sockmap, to which a sk_lookup
 *                               program gives packets to port 53; until it is ended
 *   foreign PID classic         a classic BPF program
 *   foreign PID none            takes the program off
 *   foreign PID lock            locks the group's filters (SO_LOCK_FILTER)
 *   [--pin-program PATH] [--pin-array PATH]
 * Nothing but the group, and what is pinned, holds the program afterwards.
 * Prints the program's id, 0 for a classic one.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_ATTACH_REUSEPORT_CBPF
#define SO_ATTACH_REUSEPORT_CBPF 51
#define SO_ATTACH_REUSEPORT_EBPF 52
#endif

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

#define SOCKETS_MAX 64

static int take(int pidfd, int fd)
{
	int taken = syscall(SYS_pidfd_getfd, pidfd, fd, 0), value = 0;
	socklen_t len = sizeof(value);

	if (taken < 0)
		return -1;
	if (!getsockopt(taken, SOL_SOCKET, SO_REUSEPORT, &value, &len) && value)
		return taken;
	close(taken);
	return -1;
}

static size_t take_sockets(pid_t pid, int *sockets)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	char path[32];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (pidfd < 0 || !dir)
		err(1, "process %d", pid);
	while (n < SOCKETS_MAX && (entry = readdir(dir))) {
		int fd = entry->d_name[0] == '.' ? -1 : take(pidfd, atoi(entry->d_name));

		if (fd >= 0)
			sockets[n++] = fd;
	}
	closedir(dir);
	close(pidfd);
	if (!n)
		errx(1, "process %d has no SO_REUSEPORT socket", pid);
	return n;
}

static void attach_classic(int member)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { .len = 1, .filter = code };

	if (setsockopt(member, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)))
		err(1, "SO_ATTACH_REUSEPORT_CBPF");
	puts("0");
}

static void take_off(int member)
{
	int unused = 0;

	if (setsockopt(member, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof(unused)))
		err(1, "SO_DETACH_REUSEPORT_BPF");
}

static void lock_filters(int member)
{
	int one = 1;

	if (setsockopt(member, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)))
		err(1, "SO_LOCK_FILTER");
}

static void fill(int array, const int *sockets, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t value = sockets[i];

		if (bpf_map_update_elem(array, &i, &value, BPF_ANY))
			err(1, "slot %u", i);
	}
}

static void attach_loaded(const char *object_path, bool with_array, const int *sockets, size_t n,
			  const char *pin_program, const char *pin_array)
{
	struct bpf_object *object = bpf_object__open(object_path);
	const char *name = with_array ? "foreign_select" : "foreign_pass";
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	struct bpf_program *program;
	struct bpf_map *array;
	int fd;

	if (!object || bpf_object__load(object))
		err(1, "%s", object_path);
	program = bpf_object__find_program_by_name(object, name);
	array = bpf_object__find_map_by_name(object, "foreign_array");
	fd = bpf_program__fd(program);
	if (with_array)
		fill(bpf_map__fd(array), sockets, n);
	if (setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &fd, sizeof(fd)))
		err(1, "SO_ATTACH_REUSEPORT_EBPF");
	if ((pin_program && bpf_program__pin(program, pin_program)) ||
	    (pin_array && bpf_map__pin(array, pin_array)))
		err(1, "pin");
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		err(1, "info");
	printf("%u\n", info.id);
	bpf_object__close(object);
}

/* In this process's network namespace. */
static void redirect(const char *object_path, int member)
{
	struct bpf_object *object = bpf_object__open(object_path);
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	uint64_t value = member;
	uint32_t zero = 0;

	if (!object || bpf_object__load(object))
		err(1, "%s", object_path);
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "foreign_sockmap"), &zero,
				&value, BPF_ANY))
		err(1, "sockmap");
	close(member);
	if (!bpf_program__attach_netns(bpf_object__find_program_by_name(object, "foreign_lookup"),
				       netns))
		err(1, "sk_lookup");
	puts("ready");
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pin-program", 1, NULL, 'p' },
		{ "pin-array", 1, NULL, 'a' },
		{ 0 },
	};
	const char *pin_program = NULL, *pin_array = NULL, *what;
	int sockets[SOCKETS_MAX], option;
	size_t n;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'p':
			pin_program = optarg;
			break;
		case 'a':
			pin_array = optarg;
			break;
		default:
			return 2;
		}
	argv += optind;
	if (argc - optind < 2)
		errx(2, "PID and what to do");
	what = argv[1];
	n = take_sockets(atoi(argv[0]), sockets);
	if (!strcmp(what, "classic"))
		attach_classic(sockets[0]);
	else if (!strcmp(what, "none"))
		take_off(sockets[0]);
	else if (!strcmp(what, "lock"))
		lock_filters(sockets[0]);
	else if (argc - optind > 2 && !strcmp(what, "sockmap"))
		redirect(argv[2], sockets[0]);
	else if (argc - optind > 2)
		attach_loaded(argv[2], !strcmp(what, "array"), sockets, n, pin_program, pin_array);
	else
		errx(2, "no such thing to do: %s", what);
	return 0;
}
