/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Request: what a worker asks for is remembered with its socket; of a member also in the map
 * "requests", in the word of its slot, which holds for the next packet, and told to its keeper.
 *
 * The order matters. The storage is written before the member is looked up, and the keeper writes
 * the member before it reads the storage: one of both sees the request. The request is written
 * before "taken" is read, and the keeper writes "taken" before it reads the request again.
 */
#ifndef BPF_REQUEST_H
#define BPF_REQUEST_H

#include "caller.h"
#include "decide/sockopt.h"
#include "hook_maps.h"

const volatile bool with_words; /* there are maps of maps with arrays of any size (5.10) */

/* ---------------------------------------------------------------- its number */

/* Return 0: the worker has the id, or -errno. */
static __always_inline int request_claim_id(const struct member *member, __u64 cookie, __u32 id)
{
	struct worker_id key = {
		.attachment = member->attachment,
		.generation = member->generation,
		.id = id,
	};
	int error = bpf_map_update_elem(&worker_ids, &key, &cookie, BPF_NOEXIST);
	__u64 *owner;

	if (error != -EEXIST)
		return error;
	owner = bpf_map_lookup_elem(&worker_ids, &key);
	return owner && *owner == cookie ? 0 : -EEXIST;
}

/* Give up an id that was asked for and that the keeper has not read: so a worker has two at most.
 */
static __always_inline void request_drop_id(const struct member *member, __u64 cookie,
					    const struct request *before, __u32 id)
{
	struct worker_id key = {
		.attachment = member->attachment,
		.generation = member->generation,
		.id = before->id,
	};
	__u64 *owner;

	if (!before->id_at || before->id == id || (member->has_id && member->id == before->id))
		return;
	owner = bpf_map_lookup_elem(&worker_ids, &key);
	if (owner && *owner == cookie)
		bpf_map_delete_elem(&worker_ids, &key);
}

static __always_inline int request_take_id(const struct caller *caller,
					   const struct request *before, __u32 id)
{
	const struct member *member = caller_member(caller);
	int error;

	/* The keeper does it when the socket joins. */
	if (!member)
		return 0;
	error = request_claim_id(member, caller->cookie, id);
	if (!error)
		request_drop_id(member, caller->cookie, before, id);
	return error;
}

/* -------------------------------------------------------- for the next packet */

static __always_inline struct asked_slot *request_word(const struct member *member)
{
	__u64 attachment = member->attachment;
	__u32 slot = member->slot;
	void *words;

	if (!with_words)
		return NULL;
	words = bpf_map_lookup_elem(&asked_maps, &attachment);
	return words ? bpf_map_lookup_elem(words, &slot) : NULL;
}

static __always_inline void request_store_word(struct asked_slot *word, __u32 what, __u32 count)
{
	union {
		struct asked_slot parts;
		__u64 whole;
	} value = { .parts = { .what = what, .count = count } };

	*(volatile __u64 *)word = value.whole;
}

/* Have the steering program look at the words. */
static __always_inline void request_show_words(const struct member *member)
{
	__u64 attachment = member->attachment;
	struct control *control;
	__u32 zero = 0;
	void *section = bpf_map_lookup_elem(&control_maps, &attachment);

	control = section ? bpf_map_lookup_elem(section, &zero) : NULL;
	if (control)
		*(volatile __u8 *)&control->asked = 1;
}

static __always_inline void request_hold(const struct member *member, const struct request *request)
{
	struct asked_slot *word = request_word(member);
	__u32 what = sockopt_asks(request);

	if (!word)
		return;
	request_store_word(word, what, request->count);
	if (what != ASKED_NOTHING_MORE)
		request_show_words(member);
}

/* The slot is another worker's by now: its word must not be ours. */
static __always_inline void request_let_go(const struct member *member,
					   const struct request *request)
{
	struct asked_slot *word = request_word(member);

	if (word && word->count == request->count && word->what == sockopt_asks(request))
		request_store_word(word, ASKED_NOTHING_MORE, 0);
}

/* --------------------------------------------------------------- for the keeper */

static __always_inline void request_tell(const struct caller *caller, struct bpf_sock *sk,
					 const struct member *member)
{
	struct interest key = {
		.netns_cookie = caller_netns_cookie(caller),
		.port = sk->src_port,
		.proto = sk->protocol,
	};
	struct socket_event event = {
		.cookie = member->attachment,
		.netns_cookie = key.netns_cookie,
		.kind = SOCKET_EVENT_ASKED,
		.members = member->slot,
		.port = key.port,
		.proto = key.proto,
	};
	__u64 *followers = bpf_map_lookup_elem(&interest, &key);

	if (followers)
		tell_followers(*followers, &event);
}

/* Note a member's request, which its socket's storage has already. */
static __always_inline int request_note(const struct caller *caller, struct bpf_sockopt *ctx,
					const struct request *request)
{
	const struct member *member = caller_member(caller), *now;

	if (!member)
		return 0;
	if (bpf_map_update_elem(&requests, &caller->cookie, request, BPF_ANY))
		return -ENOMEM;
	if (sockopt_is_for_next_packet(ctx->optname))
		request_hold(member, request);
	now = caller_member(caller);
	if (!now || now->attachment != member->attachment || now->slot != member->slot)
		request_let_go(member, request);
	if (now && sockopt_is_to_be_told(request, now->taken))
		request_tell(caller, ctx->sk, now);
	return 0;
}

/* --------------------------------------------------------------------- all of it */

/* The count comes last: who reads it has what goes with it. */
static __always_inline void request_store(struct request *to, const struct request *request)
{
	to->ready_at = request->ready_at;
	to->drain_at = request->drain_at;
	to->weight_at = request->weight_at;
	to->id_at = request->id_at;
	to->ready = request->ready;
	to->drain = request->drain;
	to->weight = request->weight;
	to->id = request->id;
	barrier();
	*(volatile __u32 *)&to->count = request->count;
}

/* Take a request. Return 0 or -errno, with nothing changed. */
static __always_inline int request_add(const struct caller *caller, struct bpf_sockopt *ctx,
				       __u32 value)
{
	struct request *stored = bpf_sk_storage_get(&sockopt_storage, ctx->sk, NULL,
						    BPF_SK_STORAGE_GET_F_CREATE);
	struct request before, request;
	int error;

	if (!stored)
		return -ENOMEM;
	before = request = *stored;
	error = sockopt_take(&request, ctx->optname, value);
	if (!error && ctx->optname == REUSEPORT_ID)
		error = request_take_id(caller, &before, value);
	if (error)
		return error;
	request_store(stored, &request);
	error = request_note(caller, ctx, &request);
	if (error)
		request_store(stored, &before);
	return error;
}

#endif
