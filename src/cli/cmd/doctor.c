// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl doctor: finds what is wrong with the groups, and what mends it. */
#include <stdio.h>

#include "command.h"
#include "filter.h"
#include "message.h"
#include "show/doctor.h"

/* Return the exit status that the findings call for. */
static int doctor_verdict(const struct reuseport_finding_list *findings)
{
	const struct reuseport_finding *finding;

	for (size_t i = 0; (finding = reuseport_finding_list__get(findings, i)); i++)
		if (finding->severity > REUSEPORT_NOTE)
			return EXIT_FINDINGS;
	return EXIT_DONE;
}

static int doctor_exec(const struct options *options)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto,
		       .port = options->n_ports ? options->ports[0] : 0, .uid = options->uid,
		       .has_uid = options->has_uid);
	struct reuseport_finding_list *findings;
	struct reuseport_error error;
	int ret;

	if (filter_netns(options, &filter.netns) || filter_place(options, &filter))
		return EXIT_FAILED;
	if (reuseport_diagnose(&filter, &findings, &error))
		return exit_failed(&error);
	if (options->json) {
		ret = show_doctor_json(findings);
	} else {
		show_doctor_text(findings);
		ret = exit_written();
	}
	if (ret == EXIT_DONE)
		ret = doctor_verdict(findings);
	reuseport_finding_list__free(findings);
	return ret;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "Find what is wrong with the groups, and the command that mends it",
	.details = "The exit status is 4 if there are warnings or errors.",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_JSON,
	.exec = doctor_exec,
};
