// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Host scan: which attachments the host's keeper keeps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fd.h"
#include "keeper/attach.h"
#include "keeper/host_scan.h"
#include "state/attachment_entry.h"
#include "state/pin_dir.h"
#include "state/pin_owner.h"
#include "state/pins.h"
#include "state/pins_root.h"
#include "state/root_lock.h"
#include "state/sockarray.h"
#include "state/sockopt_members.h"

#define MS CLOCK_MS
#define LOOK_AGAIN (1000 * MS)   /* at what another process keeps: it may end */
#define FAILED_AGAIN (5000 * MS) /* at what could not be kept */
/* How long a command that has asked for the lock, or is about to take it, has the first go. */
#define DETACH_FIRST (3000 * MS)
#define WANTED_FIRST (1500 * MS)
#define ATTACH_FIRST (1000 * MS)

static struct host_entry *host_scan_find(struct reuseport_keeper *keeper, uint64_t inode)
{
	struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->inode == inode)
			return entry;
	return NULL;
}

static void host_scan_log(void *ctx, int level, const char *line)
{
	struct host_entry *entry = ctx;

	host_log(entry->keeper, entry, level, "%s", line);
}

/* ------------------------------------------------------------------ failures */

/* Note why an attachment cannot be kept: the one who left it reads that. */
static void host_scan_note(struct host_entry *entry, uint64_t inode, const char *reason)
{
	struct reuseport_keeper *keeper = entry->keeper;
	uint32_t zero = 0;

	keeper->entry.failed = inode;
	snprintf(keeper->entry.reason, sizeof(keeper->entry.reason), "%s", reason);
	if (bpf_map_update_elem(keeper->record, &zero, &keeper->entry, BPF_ANY))
		errno = 0; /* it is for people */
}

static void host_scan_failed(struct host_entry *entry, const struct reuseport_error *error)
{
	entry->try_at = clock_ns(CLOCK_MONOTONIC) + FAILED_AGAIN;
	host_scan_note(entry, entry->inode, error->text);
	if (entry->logged == error->code)
		return;
	entry->logged = error->code;
	host_log(entry->keeper, entry, LOG_ERR, "cannot keep %s: %s", entry->name, error->text);
}

/* The network namespace is gone. Remove the pins, unless a socket of it is still there. */
static int host_scan_remove_orphan(struct host_entry *entry, const struct reuseport_key *key)
{
	struct attachment at;
	int ret = -ENOENT;

	attachment_init(&at, key);
	at.dir = pins_lock(entry->name, at.pin, sizeof(at.pin), NULL);
	if (at.dir >= 0 && !attachment_open_pins(&at, NULL) &&
	    sockarray_is_empty(at.steering.maps[MAP_SOCKETS])) {
		sockopt_members_remove_pinned(&at);
		ret = pins_remove(at.dir, at.pin);
		host_log(entry->keeper, entry, LOG_NOTICE,
			 "%s: its network namespace is gone; its pins were removed", at.text);
	}
	attachment_close(&at);
	return ret;
}

/* ------------------------------------------------------------------- adoption */

/* Return until when a command that has a request in the directory, or is about to lock it, has
 * the first go; 0: there is none. */
static uint64_t host_scan_first_go(const struct host_entry *entry, int dir)
{
	if (pin_dir_has(dir, PIN_DETACHING) > 0)
		return entry->free_since + DETACH_FIRST;
	if (pin_dir_has(dir, PIN_WANTED) > 0)
		return entry->free_since + WANTED_FIRST;
	return pin_dir_has(dir, PIN_PROGRAM) > 0 ? 0 : entry->free_since + ATTACH_FIRST;
}

/* Return whether to adopt it now; entry->try_at says when to look again. */
static bool host_scan_is_free(struct host_entry *entry, int dir)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), first_go;

	entry->try_at = now + LOOK_AGAIN;
	if (pins_locked(dir)) {
		entry->free_since = 0;
		return false;
	}
	if (!entry->free_since)
		entry->free_since = now;
	first_go = host_scan_first_go(entry, dir);
	if (first_go > now)
		entry->try_at = first_go;
	return first_go <= now;
}

static void host_scan_read_log(struct host_entry *entry, int dir)
{
	struct attachment_entry pinned;
	struct steering steering;
	uint32_t version;
	int ret = steering_open(&steering, dir);

	if ((!ret || ret == -ENOENT) && !attachment_entry_read(&steering, &pinned, &version))
		snprintf(entry->log, sizeof(entry->log), "%.*s", (int)sizeof(pinned.log) - 1,
			 pinned.log);
	steering_close(&steering);
}

/* Keep it by a lock that takes no descriptor, and watch its directory. */
static int host_scan_hold(struct host_entry *entry, struct reuseport_error *err)
{
	struct reuseport_keeper *keeper = entry->keeper;
	struct attachment *at = &entry->group->at;
	char self[32];
	struct stat st;
	int ret = fstat(at->dir, &st) ? -errno : root_lock_keep(keeper->root, st.st_ino);

	if (ret)
		return fail(err, -ret, "cannot lock %s: %s", at->pin, strerror(-ret));
	entry->inode = st.st_ino;
	entry->held = true;
	entry->watch = inotify_add_watch(keeper->notice, pin_dir_self(at->dir, self), IN_CREATE);
	if (entry->watch < 0)
		return fail(err, errno, "cannot watch %s: %s", at->pin, strerror(errno));
	return 0;
}

static int host_scan_keep(struct host_entry *entry, struct reuseport_error *err)
{
	unsigned int workers = reuseport_group__workers(entry->group);
	struct attachment *at = &entry->group->at;
	int ret = host_scan_hold(entry, err);

	if (ret)
		return ret;
	host_log(entry->keeper, entry, LOG_INFO, "%s: %u worker%s; kept by process %d", at->text,
		 workers, workers == 1 ? "" : "s", getpid());
	map_view_hide_from_children(&at->view);
	entry->id = ++entry->keeper->last_id;
	entry->group->loop.epoll_data = entry->id;
	entry->due_at = 0;
	ret = reuseport_group__keep(entry->group, err);
	/* They are opened for each turn. */
	fd_close(at->dir);
	fd_close(at->steering.program);
	at->dir = at->steering.program = -1;
	return ret;
}

static void host_scan_adopt(struct host_entry *entry, const struct reuseport_key *key)
{
	REUSEPORT_OPTS(reuseport_attach_opts, opts, .log = host_scan_log, .log_ctx = entry);
	struct reuseport_error error = { 0 };
	int ret = attach_adopt(key, &opts, &entry->keeper->shared, &entry->group, &error);

	/* Another process has been faster, or the pins are gone. */
	if (ret == -EBUSY || ret == -ENOENT)
		return;
	if (ret == -ENETDOWN && !host_scan_remove_orphan(entry, key))
		return;
	if (!ret) {
		ret = host_scan_keep(entry, &error);
	}
	if (ret) {
		host_scan_release(entry);
		host_scan_failed(entry, &error);
		return;
	}
	entry->free_since = 0;
	entry->logged = 0;
	if (entry->keeper->entry.failed == entry->inode)
		host_scan_note(entry, 0, "");
}

/* Return whether that took time. */
static bool host_scan_try(struct host_entry *entry, int root, const struct reuseport_key *named)
{
	struct reuseport_error error = { 0 };
	char path[REUSEPORT_PATH_MAX];
	struct reuseport_key key;
	int dir, ret = 0;
	bool is_free;

	pin_dir_join(entry->keeper->path, entry->name, path, sizeof(path));
	dir = pin_dir_open(root, entry->name, path, &error);
	if (dir == -ENOENT)
		return false;
	if (dir < 0) {
		host_scan_failed(entry, &error);
		return false;
	}
	is_free = host_scan_is_free(entry, dir);
	if (is_free) {
		host_scan_read_log(entry, dir);
		ret = pin_owner_read(dir, path, named, &key, &error);
	}
	close(dir);
	if (ret)
		host_scan_failed(entry, &error);
	else if (is_free)
		host_scan_adopt(entry, &key);
	return is_free;
}

/* ----------------------------------------------------------------------- scan */

struct host_scanning {
	struct reuseport_keeper *keeper;
	uint64_t until;
	bool hidden; /* nobody asks for what would be adopted */
	int ret;
};

static int host_scan_visit(void *ctx, int root, const char *name)
{
	struct host_scanning *scan = ctx;
	struct reuseport_keeper *keeper = scan->keeper;
	struct reuseport_key named;
	struct host_entry *entry;
	struct stat st;

	if (strlen(name) >= PINS_NAME_MAX || pins_parse(name, &named) ||
	    fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	entry = host_scan_find(keeper, st.st_ino);
	if (!entry) {
		entry = item_list_add(&keeper->entries, sizeof(*entry));
		if (!entry)
			return scan->ret = -ENOMEM;
		entry->inode = st.st_ino;
		entry->keeper = keeper;
		snprintf(entry->name, sizeof(entry->name), "%s", name);
	}
	entry->seen = true;
	if (entry->group || (!keeper->scan_due && clock_ns(CLOCK_MONOTONIC) < entry->try_at))
		return 0;
	if (scan->hidden)
		entry->try_at = ~0ULL;
	else if (clock_ns(CLOCK_MONOTONIC) < scan->until)
		host_scan_try(entry, root, &named);
	else
		entry->try_at = 0; /* the next time */
	return 0;
}

static bool host_scan_is_of_use(const void *item)
{
	const struct host_entry *entry = item;

	return entry->seen || entry->group;
}

bool host_scan_is_hidden(struct reuseport_keeper *keeper)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now < keeper->hidden_at)
		return keeper->hidden;
	keeper->hidden_at = now + LOOK_AGAIN;
	keeper->hidden = !pin_dir_is_gone(keeper->root) && !pins_root_in_sight(keeper->root);
	return keeper->hidden;
}

void host_scan(struct reuseport_keeper *keeper)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	struct host_scanning scan = { .keeper = keeper,
				      .until = now + HOST_SCAN_MS * MS,
				      .hidden = host_scan_is_hidden(keeper) };
	struct host_entry *entry;

	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		entry->seen = false;
	scan.ret = pin_dir_for_each(keeper->root, host_scan_visit, &scan);
	keeper->scan_due = false;
	keeper->scan_at = ~0ULL;
	/* -ENOENT: the directory itself was removed. */
	if (scan.ret && scan.ret != -ENOENT) {
		keeper->scan_at = now + LOOK_AGAIN;
		return;
	}
	/* What has lost its directory is given up, or given back. */
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (entry->group && !entry->seen)
			entry->due_at = 0;
	item_list_filter(&keeper->entries, host_scan_is_of_use);
	for (size_t i = 0; (entry = item_list_get(&keeper->entries, i)); i++)
		if (!entry->group && entry->try_at < keeper->scan_at)
			keeper->scan_at = entry->try_at;
}

void host_scan_release(struct host_entry *entry)
{
	struct reuseport_keeper *keeper = entry->keeper;

	reuseport_group__free(entry->group);
	entry->group = NULL;
	if (entry->watch > 0)
		inotify_rm_watch(keeper->notice, entry->watch);
	/* The last: whoever waits for it finds nothing of ours. */
	if (entry->held)
		root_lock_release(keeper->root, entry->inode);
	entry->watch = 0;
	entry->held = false;
	entry->free_since = 0;
	entry->try_at = 0;
}
