/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * leftovers: finds what an attachment, or a test, has left on this machine. One process
 * looks at all of it: bpftool, jq and find take a hundred times as long, after each test.
 * It sees namespaces, pins, processes and BPF objects, and knows nothing of the toolkit but
 * their names.
 */
#include "common.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define LOOK_COMM "reuseport-look"
#define KEEPER_COMM "reuseport-keep"
#define PINS "/sys/fs/bpf/reuseport"
#define HOOKS PINS "/hooks"
#define NETNS "/run/netns"

static const char usage[] =
	"leftovers pins INODE [NAMESPACES]  directories of pins of a namespace; none if one that\n"
	"                         is not in the file NAMESPACES has been given its inode\n"
	"leftovers processes NAME processes of the tool that were started for a namespace, and the\n"
	"                         keeper that was left behind for this mount namespace's bpffs\n"
	"leftovers watchers NAME  what the hooks follow in the namespace, \"PROTO PORT\"\n"
	"leftovers objects INODE...  \"prog ID\" and \"map ID\" of all pins of namespaces, and of the\n"
	"                         hooks\n"
	"leftovers alive FILE     those of such lines whose object is there still\n";

/* Call found(path, arg) for each entry of a directory, by its whole path. */
static void each_entry(const char *path, void (*found)(const char *, void *), void *arg)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char whole[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(whole, sizeof(whole), "%s/%s", path, entry->d_name);
		found(whole, arg);
	}
	if (dir)
		closedir(dir);
}

/* Read a small file to its end; returns its length. The text is terminated. */
static size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	while (fd >= 0 && length < size - 1 &&
	       (got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	if (fd >= 0)
		close(fd);
	text[length] = 0;
	return length;
}

/* --------------------------------------------------------------------- pins */

struct namespaces {
	const char *inode;
	const char *ours; /* a file, whose lines begin with the names of ours */
	bool of_another;
};

/* Whether a line of a file begins with this word. */
static bool line_begins(const char *path, const char *word)
{
	static char text[1 << 16];
	size_t length = strlen(word);

	read_file(path, text, sizeof(text));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, word, length) && line[length] == ' ')
			return true;
	return false;
}

static void look_at_netns(const char *path, void *arg)
{
	struct namespaces *namespaces = arg;
	struct stat stat_of;
	char inode[24];

	if (stat(path, &stat_of))
		return;
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)stat_of.st_ino);
	if (!strcmp(inode, namespaces->inode) &&
	    !line_begins(namespaces->ours, path + strlen(NETNS) + 1))
		namespaces->of_another = true;
}

/* Return whether the name of a directory, PROTO-ADDR-PORT-INODE[-...], has this inode. */
static bool has_inode(const char *path, const char *inode)
{
	unsigned int length = strlen(inode);
	const char *at = path;

	while ((at = strstr(at, inode))) {
		if (at > path && at[-1] == '-' && (!at[length] || at[length] == '-'))
			return true;
		at += length;
	}
	return false;
}

static void print_pins(const char *path, void *arg)
{
	if (has_inode(path, arg))
		puts(path);
}

static void pins(char *inode, const char *ours)
{
	struct namespaces namespaces = { .inode = inode, .ours = ours };

	if (ours)
		each_entry(NETNS, look_at_netns, &namespaces);
	if (!namespaces.of_another)
		each_entry(PINS, print_pins, inode);
}

/* ---------------------------------------------------------------- processes */

/* Return whether a process is in the mount namespace of this one. */
static bool shares_mounts(const char *pid)
{
	char at[64], own[64] = "", other[64] = "";

	snprintf(at, sizeof(at), "/proc/%s/ns/mnt", pid);
	return readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) > 0 &&
	       readlink(at, other, sizeof(other) - 1) > 0 && !strcmp(own, other);
}

static void look_at_process(const char *path, void *arg)
{
	char at[64], exe[PATH_MAX], arguments[4096], comm[32];
	const char *pid = path + strlen("/proc/");
	bool names = false;
	ssize_t length;
	size_t size;

	if (*pid < '0' || *pid > '9')
		return;
	snprintf(at, sizeof(at), "/proc/%s/cmdline", pid);
	size = read_file(at, arguments, sizeof(arguments));
	for (char *one = arguments; one < arguments + size; one += strlen(one) + 1)
		names |= !strcmp(one, arg);
	/* One that looks at another process for the tool is over in a moment. */
	snprintf(at, sizeof(at), "/proc/%s/comm", pid);
	read_file(at, comm, sizeof(comm));
	names |= !strncmp(comm, KEEPER_COMM, strlen(KEEPER_COMM)) && shares_mounts(pid);
	if (!names)
		return;
	snprintf(at, sizeof(at), "/proc/%s/exe", pid);
	length = readlink(at, exe, sizeof(exe) - 1);
	exe[length < 0 ? 0 : length] = 0;
	if (strstr(exe, "reuseportctl") && strncmp(comm, LOOK_COMM, strlen(LOOK_COMM)))
		puts(pid);
}

/* ----------------------------------------------------------------- watchers */

/* Return the cookie of a namespace, or 0 where the kernel has none. */
static uint64_t cookie_of_netns(const char *name)
{
	char path[PATH_MAX];
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);
	int fd, sock;

	snprintf(path, sizeof(path), NETNS "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return 0;
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		return 0;
	close(sock);
	close(fd);
	return cookie;
}

/* Print what the hooks follow in the namespace, from their map of {netns cookie, port,
 * protocol}. */
static void watchers(const char *name)
{
	int map = bpf_obj_get(HOOKS "/interest");
	uint64_t cookie = map < 0 ? 0 : cookie_of_netns(name);
	struct {
		uint64_t cookie;
		uint16_t port;
		uint8_t proto, unused[5];
	} key, *before = NULL;

	for (; map >= 0 && !bpf_map_get_next_key(map, before, &key); before = &key)
		if (key.cookie == cookie)
			printf("%s %u\n", key.proto == 6 ? "tcp" : "udp", key.port);
	if (map >= 0)
		close(map);
}

/* ------------------------------------------------------------------ objects */

static void print_object(const char *path, void *arg)
{
	char at[64], info[4096];
	const char *line;
	int fd = bpf_obj_get(path);

	(void)arg;
	if (fd < 0)
		return;
	snprintf(at, sizeof(at), "/proc/self/fdinfo/%d", fd);
	read_file(at, info, sizeof(info));
	if ((line = strstr(info, "\nprog_id:")))
		printf("prog %d\n", atoi(line + 9));
	else if ((line = strstr(info, "\nmap_id:")))
		printf("map %d\n", atoi(line + 8));
	close(fd);
}

static void print_objects(const char *path, void *arg)
{
	if (has_inode(path, arg))
		each_entry(path, print_object, NULL);
}

static void alive(const char *path)
{
	FILE *file = fopen(path, "r");
	char kind[8];
	uint32_t id;
	int fd;

	if (!file)
		die("%s", path);
	while (fscanf(file, "%7s %u\n", kind, &id) == 2) {
		fd = !strcmp(kind, "prog") ? bpf_prog_get_fd_by_id(id) : bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		printf("%s %u\n", kind, id);
		close(fd);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "pins")) {
		pins(argv[2], argv[3]);
	} else if (!strcmp(what, "processes")) {
		each_entry("/proc", look_at_process, argv[2]);
	} else if (!strcmp(what, "watchers")) {
		watchers(argv[2]);
	} else if (!strcmp(what, "objects")) {
		for (int i = 2; i < argc; i++)
			each_entry(PINS, print_objects, argv[i]);
		each_entry(HOOKS, print_object, NULL);
	} else if (!strcmp(what, "alive")) {
		alive(argv[2]);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	return 0;
}
