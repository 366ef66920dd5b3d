// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The directory of the names of network namespaces. Whoever may read a directory can hold it, so
 * that others wait who read it or look for a name that is not in it. So it is read in a helper,
 * and again when it has changed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "host/look.h"
#include "host/netns_name.h"
#include "host/netns_names.h"

#define RECORD 256 /* the longest name of a file, and a zero byte */
/* The time of a change is no more exact than that. */
#define RECENT_NS (50 * CLOCK_MS)

/* What was read last. Used only where there are helpers, which are the whole process's. */
static struct {
	struct netns_names names;
	struct stat dir;
	bool valid, warned;
} last;

static int add_bytes(struct netns_names *names, const char *bytes, size_t n)
{
	size_t room = names->room * 2 + n;
	char *grown;

	if (names->len + n > names->room) {
		grown = realloc(names->text, room);
		if (!grown)
			return -ENOMEM;
		names->text = grown;
		names->room = room;
	}
	memcpy(names->text + names->len, bytes, n);
	names->len += n;
	return 0;
}

/* The names that a look reports. */
struct names_reading {
	struct netns_names *names;
	int code;
};

static int look_at_names(struct look_report *report, void *arg)
{
	DIR *dir = opendir(NETNS_NAMED_DIR);
	struct dirent *entry;
	char record[RECORD] = "";
	int ret = 0;

	(void)arg;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		memset(record, 0, sizeof(record));
		memcpy(record, entry->d_name, strlen(entry->d_name));
		ret = look_tell(report, record);
		look_progress(report);
	}
	if (!ret && errno)
		ret = -errno;
	closedir(dir);
	return ret;
}

static void take_one_name(void *ctx, const void *record)
{
	struct names_reading *reading = ctx;

	if (!reading->code)
		reading->code = add_bytes(reading->names, record, strnlen(record, RECORD - 1) + 1);
}

static int read_now(struct netns_names *names)
{
	struct names_reading reading = { .names = names };
	const struct look_job job = {
		.run = look_at_names, .record = RECORD, .take = take_one_name, .ctx = &reading
	};
	int ret = look_run(&job);

	ret = ret ? ret : reading.code;
	return ret == -EBUSY ? -ETIMEDOUT : ret;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Return whether the directory is as it was when it was read last. To ask that waits for nobody. */
static bool is_unchanged(const struct stat *now)
{
	return last.valid && last.dir.st_dev == now->st_dev && last.dir.st_ino == now->st_ino &&
	       same_time(&last.dir.st_mtim, &now->st_mtim);
}

static bool is_settled(const struct stat *dir)
{
	uint64_t changed = dir->st_mtim.tv_sec * 1000000000ULL + dir->st_mtim.tv_nsec;

	return clock_ns(CLOCK_REALTIME) > changed + RECENT_NS;
}

/* Read them again if they have changed. */
static int read_last(void)
{
	struct netns_names names = { 0 };
	struct stat dir;
	int ret;

	if (stat(NETNS_NAMED_DIR, &dir))
		memset(&dir, 0, sizeof(dir));
	if (is_unchanged(&dir))
		return 0;
	ret = read_now(&names);
	if (ret) {
		netns_names_free(&names);
		if (ret == -ETIMEDOUT && !last.warned)
			look_warn("a process holds " NETNS_NAMED_DIR
				  ": it does not let the names of network namespaces be read");
		last.warned |= ret == -ETIMEDOUT;
		return ret;
	}
	netns_names_free(&last.names);
	last.names = names;
	last.dir = dir;
	last.valid = is_settled(&dir);
	return 0;
}

int netns_names_read(struct netns_names *names)
{
	int ret, copied;

	*names = (struct netns_names){ 0 };
	if (!look_isolated())
		return read_now(names);
	ret = read_last();
	if (!last.names.len || (ret && ret != -ETIMEDOUT))
		return ret;
	copied = add_bytes(names, last.names.text, last.names.len);
	return copied ? copied : ret;
}

void netns_names_free(struct netns_names *names)
{
	free(names->text);
	*names = (struct netns_names){ 0 };
}

const char *netns_names_next(const struct netns_names *names, const char *name)
{
	const char *next = name ? name + strlen(name) + 1 : names->text;

	return names->len && next < names->text + names->len ? next : NULL;
}

int netns_names_have(const char *name)
{
	struct netns_names names;
	const char *one = NULL;
	int ret = netns_names_read(&names);
	bool has = false;

	while (!has && (one = netns_names_next(&names, one)))
		has = !strcmp(one, name);
	netns_names_free(&names);
	return has ? 1 : ret;
}
