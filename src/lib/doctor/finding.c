// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Finding: what a check has found. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/finding.h"
#include "sockets/group_key.h"

struct finding_evidence {
	struct reuseport_evidence evidence; /* first */
	char text[256];
};

const char *reuseport_severity_name(enum reuseport_severity severity)
{
	static const char *const names[] = { NULL, "note", "warning", "error" };

	return severity >= REUSEPORT_NOTE && severity <= REUSEPORT_ERROR ? names[severity] :
									   "unknown";
}

struct finding *finding_add(struct reuseport_finding_list *list, const char *name,
			    enum reuseport_severity severity, const struct reuseport_key *key,
			    const char *netns_name)
{
	struct finding *made = item_list_add(&list->items, sizeof(*made));

	if (!made) {
		list->failed = true;
		return NULL;
	}
	made->list = list;
	made->finding.name = name;
	made->finding.severity = severity;
	made->finding.text = made->text;
	made->finding.mend = made->mend;
	if (!key)
		return made;
	made->key = *key;
	made->finding.key = &made->key;
	snprintf(made->finding.netns_name, sizeof(made->finding.netns_name), "%s", netns_name);
	return made;
}

void finding_text(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	if (!finding)
		return;
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

void finding_mend(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	if (!finding)
		return;
	va_start(args, fmt);
	vsnprintf(finding->mend, sizeof(finding->mend), fmt, args);
	va_end(args);
}

static struct finding_evidence *finding_add_evidence(struct finding *finding, const char *name)
{
	struct finding_evidence *made = finding ? item_list_add(&finding->evidence, sizeof(*made)) :
						  NULL;

	if (finding && !made)
		finding->list->failed = true;
	if (!made)
		return NULL;
	made->evidence.name = name;
	finding->finding.evidence =
		(const struct reuseport_evidence *const *)finding->evidence.items;
	finding->finding.n_evidence = finding->evidence.n;
	return made;
}

void finding_number(struct finding *finding, const char *name, uint64_t number)
{
	struct finding_evidence *made = finding_add_evidence(finding, name);

	if (made)
		made->evidence.number = number;
}

void finding_words(struct finding *finding, const char *name, const char *text)
{
	struct finding_evidence *made = finding_add_evidence(finding, name);

	if (!made)
		return;
	snprintf(made->text, sizeof(made->text), "%s", text);
	made->evidence.text = made->text;
}

/* ------------------------------------------------------------------- list */

static int finding_compare(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int by_key;

	if (x->finding.severity != y->finding.severity)
		return x->finding.severity > y->finding.severity ? -1 : 1;
	if (!x->finding.key || !y->finding.key)
		return !x->finding.key - !y->finding.key;
	by_key = group_key_compare(&x->key, &y->key);
	return by_key ? by_key : strcmp(x->finding.name, y->finding.name);
}

void finding_sort(struct reuseport_finding_list *list)
{
	item_list_sort(&list->items, finding_compare);
}

size_t reuseport_finding_list__count(const struct reuseport_finding_list *list)
{
	return list ? list->items.n : 0;
}

const struct reuseport_finding *
reuseport_finding_list__get(const struct reuseport_finding_list *list, size_t i)
{
	const struct finding *item = list ? item_list_get(&list->items, i) : NULL;

	return item ? &item->finding : NULL;
}

static void finding_free_evidence(void *item)
{
	item_list_clear(&((struct finding *)item)->evidence, NULL);
}

void reuseport_finding_list__free(struct reuseport_finding_list *list)
{
	if (!list)
		return;
	item_list_clear(&list->items, finding_free_evidence);
	free(list);
}
