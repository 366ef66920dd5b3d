/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * holder: a process without rights that makes whoever looks at it wait in the kernel, until it
 * is killed. Its child has a socket of a reuseport group, which nobody serves. What holds is a
 * file system (FUSE), which this process does not answer for. Prints "ready PID COOKIE", of the
 * child, when it holds.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char usage[] =
	"holder HOW PROTO ADDR PORT DEVICE\n"
	"HOW     epoll     an epoll set that has the socket: its fdinfo, kcmp()\n"
	"        exec      an exec that does not end: pidfd_getfd(), the links in /proc\n"
	"        lock      the lock of the socket: socket calls, socket iterators\n"
	"        getdents  the directory /proc/PID/fd\n"
	"        nsdir     the directory /proc/PID/ns\n"
	"        /DIR      a directory that it may read\n"
	"DEVICE  /dev/fuse, or a node like it\n";

#define SECONDS 120 /* after which it ends by itself */
#define HELD 4096   /* bytes of the file */

/* What the file system and the others share. */
static volatile struct {
	int hold; /* the opcode that is not answered, 0: none */
	int held; /* one was */
} * shared;

static int device;

/* ---------------------------------------------------------- the file system */

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t size)
{
	struct fuse_out_header out = { .len = sizeof(out) + size,
				       .error = error,
				       .unique = in->unique };
	char buffer[512];

	memcpy(buffer, &out, sizeof(out));
	if (size)
		memcpy(buffer + sizeof(out), data, size);
	if (write(device, buffer, out.len) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes(uint64_t inode)
{
	return (struct fuse_attr){ .ino = inode,
				   .mode = inode == 1 ? S_IFDIR | 0777 : S_IFREG | 0666,
				   .size = HELD,
				   .nlink = 1 };
}

static void answer_one(const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = HELD };
	struct fuse_entry_out entry = { .nodeid = 2, .entry_valid = 1000, .attr_valid = 1000 };
	struct fuse_attr_out attr = { .attr_valid = 1000, .attr = attributes(in->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };
	struct fuse_poll_out polled = { .revents = 1 };

	if (shared->hold == (int)in->opcode) {
		shared->held = 1;
		return;
	}
	entry.attr = attributes(2);
	if (in->opcode == FUSE_INIT)
		answer(in, 0, &init, sizeof(init));
	else if (in->opcode == FUSE_LOOKUP)
		answer(in, 0, &entry, sizeof(entry));
	else if (in->opcode == FUSE_GETATTR)
		answer(in, 0, &attr, sizeof(attr));
	else if (in->opcode == FUSE_OPEN)
		answer(in, 0, &opened, sizeof(opened));
	else if (in->opcode == FUSE_POLL)
		answer(in, 0, &polled, sizeof(polled));
	else if (in->opcode == FUSE_FLUSH)
		answer(in, 0, NULL, 0);
	else if (in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET &&
		 in->opcode != FUSE_INTERRUPT)
		answer(in, -ENOSYS, NULL, 0);
}

static _Noreturn void serve_files(void)
{
	static char buffer[1 << 18];
	ssize_t size;

	while ((size = read(device, buffer, sizeof(buffer))) > 0 || errno == EINTR ||
	       errno == ENOENT)
		if (size > 0)
			answer_one((const void *)buffer);
	_exit(0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

/* Mount it in a namespace of this process's own. */
static void mount_files(const char *path)
{
	unsigned int uid = getuid(), gid = getgid();
	char text[96];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	write_file("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	write_file("/proc/self/gid_map", text);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("%s", path);
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("holder", "/mnt", "fuse", MS_NOSUID | MS_NODEV, text))
		die("mount");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("mmap");
}

static int open_file(int flags)
{
	int fd = open("/mnt/file", flags);

	if (fd < 0)
		die("open");
	return fd;
}

/* Memory that the kernel waits for when it reads or writes there; what is before it is there. */
static char *file_memory(void)
{
	const size_t size = HELD;
	char *memory = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED ||
	    mmap(memory + size, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		 open_file(O_RDWR | O_CLOEXEC), 0) == MAP_FAILED)
		die("mmap");
	return memory + size;
}

/* ------------------------------------------------------------------ to hold */

static void hold_epoll(int socket)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0), file = open_file(O_RDONLY | O_CLOEXEC);

	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, socket, &event) ||
	    epoll_ctl(set, EPOLL_CTL_ADD, file, &event))
		die("epoll");
	shared->hold = FUSE_POLL;
	epoll_wait(set, &event, 1, -1);
}

static void hold_exec(void)
{
	open_file(O_RDONLY | O_CLOEXEC);
	shared->hold = FUSE_FLUSH;
	execl("/bin/sleep", "sleep", "120", NULL);
	die("exec");
}

/* The kernel reads the first half of the option, takes the lock and reads the whole. */
static void hold_lock(int socket)
{
	struct linger linger = { 0 };
	char *memory = file_memory() - sizeof(linger) / 2;

	shared->hold = FUSE_READ;
	setsockopt(socket, SOL_SOCKET, SO_LINGER, memory, sizeof(linger));
}

static void *want_alone(void *path)
{
	while (!shared->held)
		usleep(1000);
	/* It waits for the one that reads the directory, and others wait behind it. */
	mkdir(path, 0700);
	return NULL;
}

static void hold_getdents(const char *dir)
{
	static char path[512];
	char *memory = file_memory();
	pthread_t thread;
	int fd;

	snprintf(path, sizeof(path) - 4, "%s", dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcat(path, "/new");
	if (fd < 0 || pthread_create(&thread, NULL, want_alone, path))
		die("%s", dir);
	shared->hold = FUSE_READ;
	syscall(SYS_getdents64, fd, memory, HELD);
}

/* ------------------------------------------------------------------- begin */

static int open_socket(const char *proto, const char *addr, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	bool tcp = !strcmp(proto, "tcp");
	int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || inet_pton(AF_INET, addr, &to.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) || (tcp && listen(fd, 16)))
		die("socket");
	/* An exec keeps it. */
	fcntl(fd, F_SETFD, 0);
	return fd;
}

/* Tell when it holds. */
static void report(int socket)
{
	uint64_t cookie = cookie_of(socket);
	pid_t pid = getpid();

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(socket);
	while (!shared->held)
		usleep(1000);
	usleep(50000);
	printf("ready %d %llu\n", pid, (unsigned long long)cookie);
	fflush(stdout);
	_exit(0);
}

static void hold(const char *how, int socket)
{
	if (!strcmp(how, "epoll"))
		hold_epoll(socket);
	else if (!strcmp(how, "exec"))
		hold_exec();
	else if (!strcmp(how, "lock"))
		hold_lock(socket);
	else if (!strcmp(how, "getdents"))
		hold_getdents("/proc/self/fd");
	else if (!strcmp(how, "nsdir"))
		hold_getdents("/proc/self/ns");
	else if (*how == '/')
		hold_getdents(how);
	else
		die("%s", how);
}

int main(int argc, char **argv)
{
	int socket;

	if (argc != 6) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	alarm(SECONDS);
	mount_files(argv[5]);
	if (fork())
		serve_files();
	/* When the file system goes, the kernel ends the wait. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(device);
	socket = open_socket(argv[2], argv[3], argv[4]);
	report(socket);
	hold(argv[1], socket);
	pause();
	return 0;
}
