// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Scene: what the checks look at. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "doctor/scene.h"
#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "state/hook_iter.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"

/* The sockets of one namespace and protocol. */
struct scene_place {
	uint64_t netns;
	int proto;
	uint16_t port; /* 0: any */
	bool valid;
	struct group_members members;
};

/* Read the attachments, if their directory is there and can be trusted. */
static int scene_read_status(struct scene *scene)
{
	int root;

	snprintf(scene->pins, sizeof(scene->pins), "%s", BPFFS);
	root = pins_open_root(false, scene->pins, sizeof(scene->pins), &scene->pins_error);
	fd_close(root);
	if (root == -EPERM || root == -ENODEV) {
		scene->pins_ret = root;
		return 0;
	}
	return reuseport_get_status(&scene->narrow, &scene->status, scene->err);
}

/* Read what is on the ports. With its capabilities this process sees all, but other namespaces only
 * with CAP_SYS_ADMIN. */
static int scene_read_listing(struct scene *scene)
{
	const struct reuseport_unseen *unseen;
	int ret = reuseport_list_more(&scene->wide, NULL, &scene->listing, scene->err);

	for (size_t i = 0; !ret && (unseen = reuseport_listing__get_unseen(scene->listing, i)); i++)
		if (!strcmp(unseen->what, "namespace"))
			ret = fail(scene->err, EPERM, "%s", unseen->text);
	return ret;
}

int scene_open(struct scene *scene, const struct reuseport_filter *filter,
	       struct reuseport_error *err)
{
	int ret = group_key_filter_init(&scene->filter, filter, err);

	scene->err = err;
	if (!ret)
		ret = caps_require("examine the groups", err);
	if (ret)
		return ret;
	scene->narrow = scene->filter.want;
	scene->wide = (struct reuseport_filter)REUSEPORT_INIT(
		reuseport_filter, .proto = scene->narrow.proto, .port = scene->narrow.port,
		.netns = scene->narrow.netns, .netns_cookie = scene->narrow.netns_cookie);
	scene->begun = clock_ns(CLOCK_MONOTONIC);
	ret = scene_read_status(scene);
	if (!ret)
		ret = scene_read_listing(scene);
	if (!ret)
		ret = hook_iter_open(&scene->reader, err);
	return ret == -EOPNOTSUPP ? 0 : ret;
}

void scene_close(struct scene *scene)
{
	for (size_t i = 0; i < scene->n_places; i++)
		if (scene->places[i].valid)
			group_members_free(&scene->places[i].members);
	free(scene->places);
	group_iter_close(scene->reader);
	reuseport_listing__free(scene->listing);
	reuseport_status_list__free(scene->status);
	reuseport_status_list__free(scene->later);
}

/* ----------------------------------------------------------------- groups */

const struct reuseport_listed *scene_next_group(const struct scene *scene, size_t *i)
{
	const struct reuseport_listed *listed;

	while ((listed = reuseport_listing__get(scene->listing, (*i)++)))
		if (listed->is_group)
			return listed;
	return NULL;
}

const struct reuseport_listed *scene_group_of(const struct scene *scene,
					      const struct reuseport_key *key)
{
	const struct reuseport_listed *listed;

	for (size_t i = 0; (listed = scene_next_group(scene, &i));)
		if (group_key_equal(listed->group->key, key))
			return listed;
	return NULL;
}

/* ---------------------------------------------------------------- sockets */

static struct scene_place *scene_add_place(struct scene *scene, const struct reuseport_key *key)
{
	struct scene_place *grown = realloc(scene->places,
					    (scene->n_places + 1) * sizeof(*scene->places));

	if (!grown) {
		scene->findings->failed = true;
		return NULL;
	}
	scene->places = grown;
	grown[scene->n_places] = (struct scene_place){ .netns = key->netns,
						       .proto = key->proto,
						       .port = scene->wide.port };
	return &grown[scene->n_places++];
}

const struct group_members *scene_sockets(struct scene *scene, const struct reuseport_key *key)
{
	struct netns_ref ns = { .inode = key->netns, .cookie = key->netns_cookie };
	struct reuseport_key any;
	struct scene_place *place = NULL;
	int ret;

	for (size_t i = 0; !place && i < scene->n_places; i++)
		if (scene->places[i].netns == key->netns && scene->places[i].proto == key->proto)
			place = &scene->places[i];
	if (!place) {
		place = scene_add_place(scene, key);
		if (!place)
			return NULL;
		any = (struct reuseport_key){ .netns = key->netns,
					      .proto = key->proto,
					      .port = place->port };
		ret = group_members_read_port(&any, &ns, scene->reader, &place->members,
					      scene->err);
		place->valid = !ret;
		/* The namespace may have gone meanwhile. */
		if (ret && ret != -ENETDOWN && !scene->ret)
			scene->ret = ret;
	}
	return place->valid ? &place->members : NULL;
}

/* ------------------------------------------------------------ second look */

bool scene_look_again(struct scene *scene, unsigned int ms)
{
	uint64_t due = scene->begun + ms * CLOCK_MS, now = clock_ns(CLOCK_MONOTONIC);
	struct reuseport_status_list *list;
	int ret;

	if (scene->later && scene->again >= due)
		return true;
	if (now < due)
		clock_sleep_ms((due - now) / CLOCK_MS + 1);
	ret = reuseport_get_status(&scene->narrow, &list, scene->err);
	if (ret) {
		scene->ret = scene->ret ? scene->ret : ret;
		return false;
	}
	reuseport_status_list__free(scene->later);
	scene->later = list;
	scene->again = clock_ns(CLOCK_MONOTONIC);
	return true;
}

unsigned int scene_elapsed_ms(const struct scene *scene)
{
	return (clock_ns(CLOCK_MONOTONIC) - scene->begun) / CLOCK_MS;
}

const struct reuseport_status *scene_later(const struct scene *scene,
					   const struct reuseport_status *status)
{
	const struct reuseport_status *later;

	for (size_t i = 0; (later = reuseport_status_list__get(scene->later, i)); i++)
		if (group_key_equal(later->key, status->key))
			return later->damaged ? NULL : later;
	return NULL;
}

const struct reuseport_worker *scene_worker(const struct reuseport_status *status, uint64_t cookie)
{
	for (size_t i = 0; i < status->n_workers; i++)
		if (status->workers[i]->cookie == cookie)
			return status->workers[i];
	return NULL;
}

/* ------------------------------------------------------------------ others */

/* Read the begin of a file as the namespace of the key has it. Return whether it has one. */
static bool read_in_netns(const struct reuseport_key *key, const char *path, char *text,
			  size_t size)
{
	struct netns_ref ns = { .inode = key->netns, .cookie = key->netns_cookie };
	struct netns_visit visit;
	ssize_t len = -1;
	int fd;

	if (netns_enter(&ns, &visit, NULL))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, text, size - 1);
	fd_close(fd);
	netns_leave(&visit);
	text[len < 0 ? 0 : len] = '\0';
	return len > 0;
}

bool scene_sysctl(const struct reuseport_key *key, const char *name, uint64_t *value)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	if (!read_in_netns(key, path, text, sizeof(text)))
		return false;
	*value = strtoull(text, NULL, 10);
	return true;
}

/* The file has a line of names and a line of numbers for each group of counters. */
bool scene_tcp_counter(const struct reuseport_key *key, const char *name, uint64_t *value)
{
	char text[16384], *names, *numbers, *one, *number, *save_one, *save_number;

	if (!read_in_netns(key, "/proc/thread-self/net/netstat", text, sizeof(text)))
		return false;
	names = strtok_r(text, "\n", &save_one);
	numbers = strtok_r(NULL, "\n", &save_one);
	if (!numbers || strncmp(names, "TcpExt:", 7) || strncmp(numbers, "TcpExt:", 7))
		return false;
	one = strtok_r(names, " ", &save_one);
	number = strtok_r(numbers, " ", &save_number);
	while (one && number && strcmp(one, name)) {
		one = strtok_r(NULL, " ", &save_one);
		number = strtok_r(NULL, " ", &save_number);
	}
	if (!one || !number)
		return false;
	*value = strtoull(number, NULL, 10);
	return true;
}

struct finding *scene_find(struct scene *scene, const struct reuseport_status *status,
			   const char *name, enum reuseport_severity severity)
{
	return finding_add(scene->findings, name, severity, status->key, status->netns_name);
}
