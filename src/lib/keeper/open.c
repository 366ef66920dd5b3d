// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_group__open(): steer a group that may have no member yet. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "error.h"
#include "keeper/attach.h"
#include "opts.h"
#include "reuseport_group.h"
#include "sockets/group_key.h"
#include "sockets/socket_key.h"

/* Make a key complete: what is not given is the caller's. */
static int open_complete_key(struct reuseport_key *key, struct reuseport_error *err)
{
	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP)
		return fail(err, EINVAL, "the protocol %d is neither TCP nor UDP", key->proto);
	if (key->family != AF_INET && key->family != AF_INET6)
		return fail(err, EINVAL, "the family %d is neither AF_INET nor AF_INET6",
			    key->family);
	if (!key->port)
		return fail(err, EINVAL, "a group is opened by its address: the port is missing");
	if (key->v6only && key->family != AF_INET6)
		return fail(err, EINVAL, "v6only is for AF_INET6");
	if (!key->has_uid) {
		key->uid = geteuid();
		key->has_uid = true;
	}
	return key->netns ? 0 : reuseport_netns(NULL, &key->netns, err);
}

int reuseport_group__open(const struct reuseport_key *from,
			  const struct reuseport_attach_opts *opts, struct reuseport_group **group,
			  struct reuseport_error *err)
{
	struct reuseport_key key;
	int ret = group_key_copy(&key, from, err);

	if (!ret)
		ret = open_complete_key(&key, err);
	return ret ? ret : attach_open(&key, opts, group, err);
}

int reuseport_group__open_fd(int fd, const struct reuseport_attach_opts *opts,
			     struct reuseport_group **group, struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_key, key);
	int ret = reuseport_key_of_socket(fd, &key, err);

	if (!ret && !key.port)
		ret = fail(err, EDESTADDRREQ,
			   "the socket is not bound, so its group is not known: bind it first, or "
			   "open the group by its address");
	return ret ? ret : attach_open(&key, opts, group, err);
}
