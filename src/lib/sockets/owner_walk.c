// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Owner walk: go through the processes in /proc to see which sockets they have open. */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/look.h"
#include "host/proc.h"
#include "host/proc_dir.h"
#include "reuseport_isolate.h"
#include "sockets/epoll_set.h"
#include "sockets/owner_walk.h"
#include "sockets/proc_fd.h"

/*
 * fdinfo of an epoll set lists all its sockets at once: 2 us each, and so long the server
 * waits for the set. In a process with more descriptors than this one, kcmp() tests each
 * owned socket instead: 35 ns for each in the set.
 */
#define FDINFO_MAX 1024
/* The cost of both, in descriptors looked at. */
#define FDINFO_COST(fds) (1 + (fds) / 8)
#define KCMP_COST(fds) (1 + (fds) / 256)

/* A walk does one of these after the other, but for what is not wanted. */
enum stage {
	STAGE_BEGIN,
	STAGE_FIRST,   /* processes of the sockets' users, and of root */
	STAGE_REST,    /* all other processes */
	STAGE_THREADS, /* threads that have descriptors of their own, or whose main thread ended */
	STAGE_SERVE,   /* epoll sets, of processes that share a socket */
	STAGE_OVER,
};

/* A socket that is looked for, and how many processes have it. */
struct target {
	uint32_t inode, uid;
	uint32_t holders;
	uint32_t last; /* of these, a pid */
};

/* A process that has sockets, and its epoll sets. */
struct owner_process {
	unsigned int fds;       /* the number of its descriptors */
	size_t first, n;        /* its owners */
	size_t epoll, n_epolls; /* its sets, in the walk's list */
};

struct owner_walk {
	struct target *targets; /* sorted by inode */
	size_t n_targets;
	enum owners_wanted what;
	enum stage stage;
	struct look_report *report;
	struct socket_owners owners;
	struct proc_dir pids;
	struct proc_dir tids; /* of one process: */
	uint32_t pid, uid;
	uint32_t tid;                 /* the thread whose descriptors these are, as in an owner */
	struct proc_dir fds;          /* of the process, or of that thread */
	struct owner_process process; /* as far as it was looked at */
	/* Of all that have sockets: */
	struct owner_process *processes;
	size_t n_processes, processes_room;
	int *epolls;
	size_t n_epolls, epolls_room;
	/* The process, set and owner to look at next in STAGE_SERVE: */
	size_t next_process, next_epoll, next_owner;
};

/* Make room for one more element. */
static int walk_grow(void **list, size_t n, size_t *room, size_t size)
{
	void *grown;

	if (n < *room)
		return 0;
	grown = realloc(*list, (*room * 2 + 16) * size);
	if (!grown)
		return -ENOMEM;
	*list = grown;
	*room = *room * 2 + 16;
	return 0;
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static struct target *find_target(const struct owner_walk *walk, uint32_t inode)
{
	const struct target key = { .inode = inode };

	return bsearch(&key, walk->targets, walk->n_targets, sizeof(key), compare_targets);
}

/* ------------------------------------------------------------ descriptors */

static int walk_add_epoll(struct owner_walk *walk, int fd)
{
	int ret = walk_grow((void **)&walk->epolls, walk->n_epolls, &walk->epolls_room, sizeof(fd));

	if (ret)
		return ret;
	walk->epolls[walk->n_epolls++] = fd;
	walk->process.n_epolls++;
	return 0;
}

static int walk_add_owner(struct owner_walk *walk, struct target *target, int fd)
{
	const struct socket_owner owner = {
		.inode = target->inode, .pid = walk->pid, .tid = walk->tid, .fd = fd
	};

	target->holders += target->last != walk->pid;
	target->last = walk->pid;
	walk->process.n++;
	return owner_list_add(&walk->owners, &owner);
}

static int walk_fd(struct owner_walk *walk, int fd)
{
	struct target *target;
	uint32_t inode;
	int kind = proc_fd_read(&walk->fds, fd, &inode);

	if (++walk->process.fds % 64 == 0 && walk->report)
		look_progress(walk->report);
	walk->owners.denied |= kind == -EACCES;
	if (kind == PROC_FD_EPOLL && walk->what == OWNERS_SERVING)
		return walk_add_epoll(walk, fd);
	target = kind == PROC_FD_SOCKET ? find_target(walk, inode) : NULL;
	return target ? walk_add_owner(walk, target, fd) : 0;
}

/* -------------------------------------------------------------- processes */

/* Return whether it is a process of this toolkit, which has a duplicate for a moment. */
static bool is_toolkit(const struct owner_walk *walk, const char *comm)
{
	return walk->uid == geteuid() &&
	       (!strcmp(comm, REUSEPORT_LOOK_NAME) || !strcmp(comm, REUSEPORT_KEEPER_NAME));
}

/* Take back what was found in the process at hand. */
static void walk_drop_process(struct owner_walk *walk)
{
	const struct owner_process *process = &walk->process;

	for (size_t i = process->first; i < walk->owners.n; i++) {
		struct target *target = find_target(walk, walk->owners.list[i].inode);

		target->holders -= target->last == walk->pid;
		target->last = 0;
	}
	walk->owners.n = process->first;
	walk->n_epolls = process->epoll;
}

static int walk_keep_process(struct owner_walk *walk, const char *comm)
{
	uint64_t start = proc_stat(walk->pid, PROC_STAT_START);
	int ret = walk_grow((void **)&walk->processes, walk->n_processes, &walk->processes_room,
			    sizeof(walk->process));

	if (ret)
		return ret;
	walk->processes[walk->n_processes++] = walk->process;
	for (size_t i = walk->process.first; !ret && i < walk->owners.n; i++) {
		struct socket_owner *owner = &walk->owners.list[i];

		owner->start = start;
		memcpy(owner->comm, comm, sizeof(owner->comm));
		ret = walk->report ? look_tell(walk->report, owner) : 0;
	}
	return ret;
}

/* All descriptors of the process have been looked at. */
static int walk_end_process(struct owner_walk *walk)
{
	char comm[16];

	proc_dir_close(&walk->fds);
	if (walk->process.n)
		proc_comm(walk->pid, comm);
	if (walk->process.n && !is_toolkit(walk, comm))
		return walk_keep_process(walk, comm);
	walk_drop_process(walk);
	return 0;
}

/* Return whether the user's processes are looked at first. */
static bool is_first(const struct owner_walk *walk, uint32_t uid)
{
	if (walk->report && !uid)
		return true;
	for (size_t i = 0; i < walk->n_targets; i++)
		if (walk->targets[i].uid == uid)
			return true;
	return false;
}

/* Return whether a process of that user belongs to the stage. */
static bool is_of_stage(const struct owner_walk *walk, uint32_t uid)
{
	if (walk->stage == STAGE_THREADS)
		return walk->report || is_first(walk, uid);
	return is_first(walk, uid) == (walk->stage == STAGE_FIRST);
}

/* Return the error of opening a directory of a process, if it is one: that there is no right
 * to, or that the process has ended, is none; that a limit was reached is one. */
static int walk_opened(struct owner_walk *walk, int ret)
{
	walk->owners.denied |= ret == -EACCES || ret == -EPERM;
	return ret == -EACCES || ret == -EPERM || ret == -ENOENT || ret == -ESRCH ? 0 : ret;
}

/* Begin to look at the descriptors of the process, or of one of its threads. */
static int walk_open_fds(struct owner_walk *walk, uint32_t tid)
{
	walk->tid = tid;
	walk->process = (struct owner_process){ .first = walk->owners.n, .epoll = walk->n_epolls };
	return walk_opened(walk, proc_fds_open(tid ? tid : walk->pid, &walk->fds));
}

static int walk_open_threads(struct owner_walk *walk)
{
	char path[32];

	walk->tid = 0;
	snprintf(path, sizeof(path), "/proc/%u/task", walk->pid);
	return walk_opened(walk, proc_dir_open(&walk->tids, path));
}

static int walk_process(struct owner_walk *walk, uint32_t pid)
{
	struct stat st;
	char name[16];

	snprintf(name, sizeof(name), "%u", pid);
	if (fstatat(walk->pids.fd, name, &st, 0) || !is_of_stage(walk, st.st_uid) ||
	    (walk->report && !look_at(walk->report, pid)))
		return 0;
	walk->pid = pid;
	walk->uid = st.st_uid;
	return walk->stage == STAGE_THREADS ? walk_open_threads(walk) : walk_open_fds(walk, 0);
}

/* ---------------------------------------------------------------- threads */

/* Return whether two threads share their descriptors. Where the kernel cannot tell, they may
 * not. */
static bool share_fds(uint32_t a, uint32_t b)
{
	return !syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0);
}

/* Look at a thread, if its descriptors were not looked at. */
static int walk_thread(struct owner_walk *walk, uint32_t tid)
{
	if (walk->report)
		look_progress(walk->report);
	if (tid == walk->pid || share_fds(walk->pid, tid) ||
	    (walk->tid && share_fds(walk->tid, tid)))
		return 0;
	return walk_open_fds(walk, tid);
}

/* ------------------------------------------------------------- epoll sets */

static bool is_shared(const struct owner_walk *walk, const struct socket_owner *owner)
{
	return find_target(walk, owner->inode)->holders > 1;
}

/* Look into the set for the owned sockets: all of them, or the next one that is shared.
 * Return the cost. */
static unsigned int walk_epoll_set(struct owner_walk *walk, const struct owner_process *process)
{
	struct socket_owner *owners = walk->owners.list + process->first;
	int epfd = walk->epolls[process->epoll + walk->next_epoll], in_set = -ENOSYS;

	while (walk->next_owner < process->n && !is_shared(walk, &owners[walk->next_owner]))
		walk->next_owner++;
	if (walk->next_owner == process->n)
		return 1;
	if (process->fds > FDINFO_MAX)
		in_set = epoll_set_has(epfd, &owners[walk->next_owner]);
	if (in_set >= 0) {
		owners[walk->next_owner++].serves |= in_set;
		return KCMP_COST(process->fds);
	}
	epoll_set_read(epfd, owners, process->n);
	walk->next_owner = process->n;
	return FDINFO_COST(process->fds);
}

static int walk_tell_served(const struct owner_walk *walk, const struct owner_process *process)
{
	int ret = 0;

	for (size_t i = 0; walk->report && !ret && i < process->n; i++)
		if (walk->owners.list[process->first + i].serves)
			ret = look_tell(walk->report, &walk->owners.list[process->first + i]);
	return ret;
}

/* Look at the next epoll set, of the processes that have some. */
static int walk_serve_one(struct owner_walk *walk, unsigned int *cost)
{
	const struct owner_process *process = &walk->processes[walk->next_process];
	uint32_t pid = walk->owners.list[process->first].pid;
	bool begins = !walk->next_epoll && !walk->next_owner, skips;

	skips = begins && process->n_epolls && walk->report && !look_at(walk->report, pid);
	if (!skips && walk->next_epoll < process->n_epolls) {
		*cost = walk_epoll_set(walk, process);
		if (walk->report)
			look_progress(walk->report);
		if (walk->next_owner < process->n)
			return 0;
		walk->next_owner = 0;
		if (++walk->next_epoll < process->n_epolls)
			return 0;
	}
	walk->next_epoll = walk->next_owner = 0;
	walk->next_process++;
	return walk_tell_served(walk, process);
}

/* ------------------------------------------------------------------- walk */

static bool walk_has_all(const struct owner_walk *walk)
{
	for (size_t i = 0; i < walk->n_targets; i++)
		if (!walk->targets[i].holders)
			return false;
	return true;
}

/* Begin the next stage that there is something to do in. */
static int walk_next_stage(struct owner_walk *walk)
{
	proc_dir_close(&walk->pids);
	walk->stage++;
	if (walk->stage == STAGE_FIRST && !walk->n_targets)
		walk->stage = STAGE_OVER;
	if (walk->stage == STAGE_REST &&
	    (!walk->report || (walk->what == OWNERS_ANY && walk_has_all(walk))))
		walk->stage++;
	if (walk->stage == STAGE_THREADS && walk_has_all(walk))
		walk->stage++;
	if (walk->stage == STAGE_SERVE && walk->what != OWNERS_SERVING)
		walk->stage++;
	if (walk->stage >= STAGE_FIRST && walk->stage <= STAGE_THREADS)
		return proc_dir_open(&walk->pids, "/proc");
	return 0;
}

/* Look at a descriptor, an epoll set or the next process. */
static int walk_one(struct owner_walk *walk, unsigned int *cost)
{
	long next;

	*cost = 1;
	if (walk->fds.fd >= 0) {
		next = proc_dir_next(&walk->fds);
		if (next >= 0)
			return walk_fd(walk, next);
		walk->owners.denied |= next == -EACCES;
		return walk_end_process(walk);
	}
	if (walk->tids.fd >= 0) {
		next = proc_dir_next(&walk->tids);
		if (next >= 0)
			return walk_thread(walk, next);
		proc_dir_close(&walk->tids);
	}
	if (walk->stage == STAGE_SERVE && walk->next_process < walk->n_processes)
		return walk_serve_one(walk, cost);
	if (walk->stage >= STAGE_FIRST && walk->stage <= STAGE_THREADS) {
		next = proc_dir_next(&walk->pids);
		if (next >= 0)
			return walk_process(walk, next);
		if (next != -ENOENT)
			return next;
	}
	return walk_next_stage(walk);
}

int owner_walk_new(const struct wanted_socket *wanted, size_t n, enum owners_wanted what,
		   struct owner_walk **made)
{
	struct owner_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	walk->pids.fd = walk->tids.fd = walk->fds.fd = -1;
	walk->what = what;
	walk->n_targets = n;
	walk->targets = calloc(n + 1, sizeof(*walk->targets));
	if (!walk->targets) {
		owner_walk_free(walk);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		walk->targets[i] = (struct target){ .inode = wanted[i].inode,
						    .uid = wanted[i].uid };
	qsort(walk->targets, n, sizeof(*walk->targets), compare_targets);
	*made = walk;
	return 0;
}

void owner_walk_report_to(struct owner_walk *walk, struct look_report *report)
{
	walk->report = report;
}

int owner_walk_step(struct owner_walk *walk, unsigned int budget)
{
	unsigned int cost;
	int ret = 0;

	while (budget && !ret && walk->stage != STAGE_OVER) {
		ret = walk_one(walk, &cost);
		budget -= cost < budget ? cost : budget;
	}
	return ret ? ret : walk->stage == STAGE_OVER;
}

struct socket_owners *owner_walk_owners(struct owner_walk *walk)
{
	return &walk->owners;
}

void owner_walk_free(struct owner_walk *walk)
{
	if (!walk)
		return;
	proc_dir_close(&walk->pids);
	proc_dir_close(&walk->tids);
	proc_dir_close(&walk->fds);
	free(walk->targets);
	free(walk->processes);
	free(walk->epolls);
	free(walk->owners.list);
	free(walk);
}
