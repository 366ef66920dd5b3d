// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Adopt: takes over an attachment whose keeper is gone. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "error.h"
#include "groups.h"
#include "install.h"
#include "keep.h"
#include "slots.h"
#include "sync.h"
#include "take.h"

/*
 * The version is the first word of the value in every ABI, so it can be read
 * even where the size is another.
 */
int adopt_read_entry(int attachment_map, struct attachment_entry *entry, uint32_t *version)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0;
	void *value;
	int ret = 0;

	*version = 0;
	if (attachment_map < 0 || bpf_obj_get_info_by_fd(attachment_map, &info, &len))
		return -EPROTO;
	value = calloc(1, info.value_size + sizeof(*entry));
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(attachment_map, &zero, value))
		ret = -errno;
	if (!ret)
		memcpy(version, value, sizeof(*version));
	if (!ret && (*version != REUSEPORT_ABI_VERSION || info.value_size != sizeof(*entry)))
		ret = -EPROTO;
	if (!ret)
		memcpy(entry, value, sizeof(*entry));
	free(value);
	return ret;
}

static int clear_away(struct reuseport_group *group)
{
	char path[REUSEPORT_PATH_MAX + 32];
	static const char *const names[] = { PIN_SOCKETS, PIN_WORKERS,    PIN_COUNTERS, PIN_TOTALS,
					     PIN_PROGRAM, PIN_ATTACHMENT, PIN_PROGRAM "-new" };

	if (group->steering.sockets >= 0)
		slots_empty(group->steering.sockets);
	steering_close(&group->steering);
	/* The directory stays: it carries our lock. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(pins_join(group->pin, names[i], path, sizeof(path)));
	return -ENOENT;
}

static int damaged(const struct reuseport_group *group, struct reuseport_error *err)
{
	return fail(err, EPROTO, "the pins in %s are damaged: detach, then attach again",
		    group->pin);
}

static int open_pins(struct reuseport_group *group, struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX + 32];
	uint32_t version;
	int ret;

	rmdir(pins_join(group->pin, PIN_DETACHING, path, sizeof(path)));
	ret = steering_open(&group->steering, group->pin);
	/* The program is pinned last: without it an attach was killed half-way. */
	if (group->steering.program < 0 && access(pins_join(group->pin, PIN_PROGRAM, path,
							    sizeof(path)), F_OK))
		return clear_away(group);
	if (ret)
		return damaged(group, err);
	ret = adopt_read_entry(group->steering.attachment, &group->entry, &version);
	if (ret == -EPROTO)
		return fail(err, EPROTO, "the pins in %s are of ABI version %u, this is version %u: "
			    "detach, then attach again", group->pin, version,
			    REUSEPORT_ABI_VERSION);
	if (ret)
		return fail(err, -ret, "cannot read %s: %s", group->pin, strerror(-ret));
	if (!steering_fits(&group->steering, group->entry.slots))
		return damaged(group, err);
	/* Left by an earlier namespace that had the same inode. */
	if (group->ns.cookie && group->entry.netns_cookie &&
	    group->ns.cookie != group->entry.netns_cookie)
		return clear_away(group);
	return 0;
}

/* The program that the policy asks for, if it is another than the pinned one. */
static int load_policy(struct reuseport_group *group, const char *policy,
		       struct reuseport_error *err)
{
	struct steering fresh = group->steering;
	int ret;

	fresh.program = -1;
	ret = steering_load(&fresh, policy, group->entry.slots, group->disable, err);
	if (ret)
		return ret;
	close(group->steering.program);
	group->steering = fresh;
	snprintf(group->entry.policy, sizeof(group->entry.policy), "%s", policy);
	return 0;
}

static int publish_policy(struct reuseport_group *group, struct reuseport_error *err)
{
	uint32_t zero = 0;
	int ret = steering_repin_program(&group->steering, group->pin, err);

	if (!ret && bpf_map_update_elem(group->steering.attachment, &zero, &group->entry, BPF_ANY))
		ret = fail(err, errno, "cannot write the attachment: %s", strerror(errno));
	return ret;
}

static int install_again(struct reuseport_group *group, const struct diag_list *members,
			 struct reuseport_error *err)
{
	int member = take_any(members, err), ret;

	if (member < 0)
		return member;
	ret = install_program(member, group->steering.program);
	close(member);
	if (ret)
		return fail(err, -ret, "cannot attach the program to %s: %s", group->text,
			    strerror(-ret));
	return 0;
}

int adopt(struct reuseport_group *group, const struct diag_list *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct group_program present = { 0 };
	bool other_policy, install = false;
	int ret;

	ret = open_pins(group, err);
	if (ret)
		return ret;
	if (opts->slots && opts->slots != group->entry.slots)
		return fail(err, EINVAL, "%s is steered with %u slots: to have %u, detach first",
			    group->text, group->entry.slots, opts->slots);
	other_policy = opts->policy && strcmp(opts->policy, group->entry.policy);
	if (members->n) {
		ret = install_check(group, members->sockets[0].cookie, &present, err);
		if (ret < 0 && !(ret == -EEXIST && group->force))
			return ret;
		install = ret != 1 || other_policy;
	}
	group->slots = calloc(group->entry.slots, sizeof(*group->slots));
	if (!group->slots)
		return fail(err, ENOMEM, "out of memory");
	ret = keep_open(group, err);
	if (!ret && slots_adopt(group))
		ret = damaged(group, err);
	if (!ret && other_policy)
		ret = load_policy(group, opts->policy, err);
	if (!ret && install)
		ret = install_again(group, members, err);
	if (!ret && other_policy)
		ret = publish_policy(group, err);
	if (!ret)
		ret = sync_full(group, true, err);
	group->adopted = !ret;
	/* -ENOENT would mean that there is nothing to adopt. */
	return ret == -ENOENT ? -ESTALE : ret;
}
