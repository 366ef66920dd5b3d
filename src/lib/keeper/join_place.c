// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Join place: check a socket, and put it into its slot. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "keeper/join_place.h"
#include "sockets/pidfd_socket.h"

static int explain_claim(const struct join_place *place, int code, uint32_t pid,
			 struct reuseport_error *err)
{
	if (code == EBUSY)
		return fail(err, code,
			    "a socket of process %u is in another program's sockarray or sockmap: "
			    "end that program ('bpftool map' lists both)",
			    pid);
	return fail(err, code, "cannot put a socket of process %u into the array of %s: %s", pid,
		    place->text, strerror(code));
}

/* Return 0 if the socket may have a slot of the group, or -errno, see struct join. */
static int check_member(const struct join_place *place, int fd)
{
	int ret;

	if (socket_has_reuseport(fd) == 0 ||
	    (place->key->proto == IPPROTO_UDP && socket_is_connected(fd)))
		return -ESTALE;
	ret = socket_matches_key(fd, place->key, place->ns);
	if (ret > 0)
		return 0;
	/* Whose socket it is could not be told: it may be another time. */
	return ret ? -EAGAIN : -EXDEV;
}

/*
 * Have the keeper read what the worker has asked for so far. It is a member by now: a later request
 * is there already.
 */
static void join_place_requests(const struct join_place *place, int fd)
{
	struct request request;
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	if (place->storage < 0 || bpf_map_lookup_elem(place->storage, &fd, &request) ||
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return;
	/* Where there is no room, the worker joins as if it had not asked. */
	if (bpf_map_update_elem(place->requests, &cookie, &request, BPF_NOEXIST))
		errno = 0;
}

int join_place(const struct join_place *place, unsigned int slot, int fd, uint32_t pid,
	       struct reuseport_error *err)
{
	uint64_t value = fd;
	int ret = check_member(place, fd);

	if (ret)
		return ret;
	/* First: once it has its slot, its first plan is made. */
	join_place_requests(place, fd);
	if (!bpf_map_update_elem(place->sockets, &slot, &value, BPF_NOEXIST))
		return 0;
	/* It is not in its group yet, or another has taken the slot. */
	if (errno == EINVAL || errno == EEXIST)
		return -EAGAIN;
	return explain_claim(place, errno, pid, err);
}
