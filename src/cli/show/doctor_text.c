// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Findings as text: a line for each, and below it what was seen and what mends it. */
#include <stdio.h>

#include "format.h"
#include "show/doctor.h"
#include "show/policy_info.h"

static void print_evidence(const struct reuseport_finding *finding)
{
	for (size_t i = 0; i < finding->n_evidence; i++) {
		const struct reuseport_evidence *evidence = finding->evidence[i];

		printf("%s%s ", i ? ", " : "  seen: ", evidence->name);
		if (evidence->text)
			format_print(*evidence->text ? evidence->text : "-");
		else
			printf("%llu", (unsigned long long)evidence->number);
	}
	if (finding->n_evidence)
		putchar('\n');
}

static void print_finding(const struct reuseport_finding *finding)
{
	printf("%s %s", reuseport_severity_name(finding->severity), finding->name);
	if (finding->key) {
		fputs(": ", stdout);
		show_policy_group(finding->key, finding->netns_name, false);
	}
	fputs("\n  ", stdout);
	format_print(finding->text);
	putchar('\n');
	print_evidence(finding);
	if (!*finding->mend)
		return;
	fputs("  mend: ", stdout);
	format_print(finding->mend);
	putchar('\n');
}

void show_doctor_text(const struct reuseport_finding_list *findings)
{
	const struct reuseport_finding *finding;
	size_t i;

	for (i = 0; (finding = reuseport_finding_list__get(findings, i)); i++)
		print_finding(finding);
	if (!i)
		puts("nothing is wrong");
}
