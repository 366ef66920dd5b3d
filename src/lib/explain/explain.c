// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_explain(): find the worker that a packet would reach, and explain why. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "explain/explanation.h"
#include "explain/lookup.h"
#include "explain/outcomes.h"
#include "host/caps.h"
#include "host/features.h"
#include "opts.h"
#include "reuseport_explain.h"
#include "sockets/group_members.h"
#include "state/pin_owner.h"

struct reuseport_explainer {
	struct lookup_kernel kernel;
	struct explained_owners owners;
	struct redirect redirect;
};

/* -------------------------------------------------------------- the lookup */

static const char *table_name(enum lookup_table table)
{
	static const char *const names[] = {
		[LOOKUP_TUPLE] = "tuple",
		[LOOKUP_EXACT] = "exact address",
		[LOOKUP_WILDCARD] = "wildcard",
		[LOOKUP_NOWHERE] = "none",
	};

	return names[table];
}

static const char *verdict_text(enum lookup_reason reason)
{
	static const char *const texts[] = {
		[LOOKUP_WINS] = "wins",
		[LOOKUP_LOWER] = "matches, but another socket scores higher",
		[LOOKUP_BEHIND] = "scores the same, but the kernel finds the winner first",
		[LOOKUP_CUT_OFF] = "scores higher, but the kernel stops at the winner",
		[LOOKUP_LATER_TABLE] = "matches, but the kernel looks in the winner's table first",
		[LOOKUP_FAMILY] = "has the other address family",
		[LOOKUP_V6ONLY] = "accepts IPv6 only",
		[LOOKUP_ADDR] = "is bound to another address",
		[LOOKUP_PEER_ADDR] = "is connected to another address",
		[LOOKUP_PEER_PORT] = "is connected to another port",
		[LOOKUP_DEVICE] = "is bound to another device",
		[LOOKUP_USER] = "is of another user",
	};

	return texts[reason];
}

/* Return whether the group has pins: 1, 0 or -errno. */
static int is_steered(const struct reuseport_key *key, struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pin_owner_open(key, path, sizeof(path), err);

	if (dir < 0)
		return dir == -ENOENT || dir == -ENODEV || dir == -EPERM ? 0 : dir;
	close(dir);
	return 1;
}

static int describe_candidate(const struct lookup_candidate *from, struct explained_candidate *item,
			      struct reuseport_error *err)
{
	int steered = from->group ? is_steered(&from->key, err) : 0;
	struct reuseport_candidate *to = &item->candidate;

	item->key = from->key;
	*to = (struct reuseport_candidate){
		.key = &item->key,
		.sockets = from->sockets,
		.group = from->group,
		.connected = from->connected,
		.peer_port = from->peer_port,
		.steered = steered > 0,
		.table = table_name(from->table),
		.score = from->score.total,
		.score_base = from->score.base,
		.score_family = from->score.family,
		.score_peer_addr = from->score.peer_addr,
		.score_peer_port = from->score.peer_port,
		.score_device = from->score.device,
		.score_cpu = from->score.cpu,
		.verdict = verdict_text(from->reason),
	};
	memcpy(to->peer, from->peer, sizeof(to->peer));
	return steered < 0 ? steered : 0;
}

static int copy_candidates(struct explanation *explanation, const struct lookup_result *found,
			   struct reuseport_error *err)
{
	struct reuseport_explanation *out = &explanation->out;

	for (size_t i = 0; i < found->n; i++) {
		struct explained_candidate *item = item_list_add(&explanation->candidates,
								 sizeof(*item));

		int ret = item ? describe_candidate(&found->list[i], item, err) :
				 fail(err, ENOMEM, "out of memory");

		if (ret)
			return ret;
	}
	out->winner = found->winner >= 0;
	out->order_known = found->exact;
	out->local = found->local;
	out->ifindex = found->ifindex;
	return 0;
}

/* ------------------------------------------------------------- the decision */

/* Find out what decides. If the kernel's program cannot be read, assume that a pinned one
 * is attached. */
static int find_decider(struct group_iter *reader, const struct lookup_candidate *winner,
			const struct netns_ref *ns, const struct attachment *attachment,
			struct reuseport_explanation *out, struct reuseport_error *err)
{
	struct group_program present;
	int ret = -EOPNOTSUPP;

	out->decider = REUSEPORT_SOCKET;
	if (!winner->group)
		return 0;
	if (reader)
		ret = group_iter_program_of(reader, ns, winner->key.proto, winner->cookie, &present,
					    err);
	if (error_is_limit(ret))
		return ret;
	if (ret)
		out->decider = attachment ? REUSEPORT_POLICY : REUSEPORT_KERNEL;
	else if (!present.present)
		out->decider = REUSEPORT_KERNEL;
	else if (attachment && present.id == attachment->steering.program_id)
		out->decider = REUSEPORT_POLICY;
	else
		out->decider = REUSEPORT_FOREIGN;
	if (out->decider == REUSEPORT_FOREIGN)
		out->program_id = present.id;
	return 0;
}

/* What TPROXY redirects is not for an address of the namespace. For UDP the kernel looks the
 * socket up without the packet then, and asks no program. */
static bool is_past_programs(const struct reuseport_packet *packet,
			     const struct lookup_candidate *winner,
			     const struct reuseport_explanation *out)
{
	return packet->proto == IPPROTO_UDP && !out->local && winner->transparent;
}

/* Return the attachment of the group, or NULL. */
static struct attachment *find_attachment(const struct reuseport_key *key, struct attachment *list,
					  size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (group_key_equal(&list[i].key, key))
			return &list[i];
	return NULL;
}

static int explain_winner(struct reuseport_explainer *explainer, struct explanation *explanation,
			  const struct reuseport_packet *packet,
			  const struct lookup_candidate *winner, struct reuseport_error *err)
{
	struct reuseport_filter filter = { .sz = sizeof(filter),
					   .proto = packet->proto,
					   .port = packet->dst_port,
					   .netns = packet->netns };
	struct group_iter *reader = explainer->kernel.reader.groups;
	struct reuseport_explanation *out = &explanation->out;
	struct netns_ref ns = { .inode = packet->netns };
	struct attachment *list = NULL, *attachment;
	struct group_members members = { 0 };
	size_t n = 0;
	int ret = attachment_open_all(&filter, &list, &n, err);

	/* -EPERM: what is there is another user's. */
	if (ret && ret != -ENOENT && ret != -EPERM)
		return ret;
	attachment = find_attachment(&winner->key, list, n);
	ret = find_decider(reader, winner, &ns, attachment, out, err);
	if (winner->group && is_past_programs(packet, winner, out))
		out->decider = REUSEPORT_KERNEL;
	if (!ret && winner->group)
		ret = group_members_read(&winner->key, &ns, reader,
					 attachment ? attachment->steering.program_id : 0, &members,
					 err);
	if (!ret)
		ret = outcomes_find(explanation, packet, winner, attachment, &members,
				    &explainer->owners, err);
	group_members_free(&members);
	attachment_close_all(list, n);
	return ret;
}

/* -------------------------------------------------------------------- public */

static struct lookup_packet to_lookup(const struct reuseport_packet *packet)
{
	struct lookup_packet to = {
		.proto = packet->proto,
		.family = packet->family,
		.sport = packet->src_port,
		.dport = packet->dst_port,
		.ifindex = packet->ifindex,
		.cpu = packet->cpu,
		.uid = packet->uid,
		.has_uid = packet->has_uid,
	};

	memcpy(to.src, packet->src, sizeof(to.src));
	memcpy(to.dst, packet->dst, sizeof(to.dst));
	return to;
}

/* Which candidate wins is not known. */
static void forget_outcomes(struct explanation *explanation)
{
	if (!explanation)
		return;
	item_list_clear(&explanation->outcomes, NULL);
	explanation->out.lookup_by_cpu = true;
	explanation->out.why =
		"SO_INCOMING_CPU of a socket decides which candidate wins, so it depends on the CPU "
		"that handles the packet: name a CPU to see its outcome";
}

static int explain_packet(struct reuseport_explainer *explainer,
			  const struct reuseport_packet *packet, struct reuseport_explanation **out,
			  struct reuseport_error *err)
{
	struct lookup_packet asked = to_lookup(packet);
	struct netns_ref ns = { .inode = packet->netns };
	struct explanation *explanation;
	struct lookup_result found = { 0 };
	int ret;

	ret = lookup_find(&explainer->kernel, &asked, &ns, &found, err);
	if (ret)
		return ret;
	explanation = explanation_new();
	ret = explanation ? copy_candidates(explanation, &found, err) :
			    fail(err, ENOMEM, "out of memory");
	if (!ret)
		ret = redirect_find(&asked, &ns, &explainer->redirect, err);
	if (!ret)
		memcpy(explanation->redirect, explainer->redirect.text, REDIRECT_TEXT);
	if (!ret && explanation->out.winner)
		ret = explain_winner(explainer, explanation, packet, &found.list[0], err);
	free(found.list);
	if (found.by_cpu)
		forget_outcomes(explanation);
	if (ret) {
		reuseport_explanation__free((struct reuseport_explanation *)explanation);
		return ret;
	}
	explanation_finish(explanation);
	*out = &explanation->out;
	return 0;
}

int reuseport_explainer__new(struct reuseport_explainer **explainer, struct reuseport_error *err)
{
	struct reuseport_explainer *made;
	struct features *features;
	int ret = explainer ? caps_require("explain", err) :
			      fail(err, EINVAL, "no place for the explainer is given");

	if (!ret)
		ret = features_new(&features, err);
	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	ret = made ? group_iter_open(&made->kernel.reader.groups, err) :
		     fail(err, ENOMEM, "out of memory");
	if (!ret || ret == -EOPNOTSUPP) {
		ret = 0;
		made->kernel.reader.by_address = features_have(features, FEATURE_UDP_ITER_ORDER);
		made->kernel.hash4 = features_have(features, FEATURE_UDP_HASH4);
	}
	features_free(features);
	if (ret) {
		free(made);
		return ret;
	}
	*explainer = made;
	return 0;
}

void reuseport_explainer__free(struct reuseport_explainer *explainer)
{
	if (!explainer)
		return;
	group_iter_close(explainer->kernel.reader.groups);
	explained_owners_free(&explainer->owners);
	free(explainer);
}

int reuseport_explain(struct reuseport_explainer *explainer, const struct reuseport_packet *from,
		      struct reuseport_explanation **explanation, struct reuseport_error *err)
{
	struct reuseport_packet packet = { .sz = sizeof(packet) };
	int ret = opts_copy(&packet, from, err);

	if (!ret && (!explainer || !from || !explanation))
		ret = fail(err, EINVAL,
			   "explain needs an explainer, a packet and a place for the "
			   "explanation");
	return ret ? ret : explain_packet(explainer, &packet, explanation, err);
}
