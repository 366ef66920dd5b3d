// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Findings as one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>

#include "format.h"
#include "show/doctor.h"
#include "show/json.h"

static json_t *finding_group_json(const struct reuseport_finding *finding)
{
	const struct reuseport_key *key = finding->key;
	char addr[INET6_ADDRSTRLEN];

	if (!key)
		return json_null();
	format_addr(key, addr, sizeof(addr));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:b, s:I, s:o, s:o}", "proto",
			 format_proto(key->proto), "family", format_family(key->family), "addr",
			 addr, "port", key->port, "ifindex", (json_int_t)key->ifindex, "v6only",
			 key->v6only, "netns", (json_int_t)key->netns, "netns_name",
			 show_json_text(finding->netns_name), "uid",
			 key->has_uid ? json_integer(key->uid) : json_null());
}

static json_t *evidence_json(const struct reuseport_finding *finding)
{
	json_t *object = json_object();

	for (size_t i = 0; i < finding->n_evidence; i++) {
		const struct reuseport_evidence *evidence = finding->evidence[i];

		json_object_set_new(object, evidence->name,
				    evidence->text ? show_json_text(evidence->text) :
						     json_integer((json_int_t)evidence->number));
	}
	return object;
}

static json_t *finding_json(const struct reuseport_finding *finding)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", finding->name, "severity",
			 reuseport_severity_name(finding->severity), "group",
			 finding_group_json(finding), "text", show_json_text(finding->text),
			 "evidence", evidence_json(finding), "mend", show_json_text(finding->mend));
}

int show_doctor_json(const struct reuseport_finding_list *findings)
{
	const struct reuseport_finding *finding;
	json_t *list = json_array(), *root;

	for (size_t i = 0; (finding = reuseport_finding_list__get(findings, i)); i++)
		json_array_append_new(list, finding_json(finding));
	root = json_pack("{s:i, s:o}", "version", 1, "findings", list);
	return show_json(root);
}
