// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Worker names: the words by which a command names workers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/worker_name.h"
#include "error.h"

static const struct {
	const char *prefix;
	enum worker_name_kind kind;
} kinds[] = {
	{ "slot:", WORKER_BY_SLOT },     { "pid:", WORKER_BY_PID },
	{ "cookie:", WORKER_BY_COOKIE }, { "sk:", WORKER_BY_COOKIE },
	{ "comm:", WORKER_BY_COMM },     { "unit:", WORKER_BY_UNIT },
	{ "cgroup:", WORKER_BY_CGROUP },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A cookie is hexadecimal as "0x2a", and after "sk:", as ss prints it. */
static bool worker_name_parse_number(const char *digits, bool sk, struct worker_name *name)
{
	bool hex = sk || (name->kind == WORKER_BY_COOKIE && !strncmp(digits, "0x", 2));

	if (hex && !strncmp(digits, "0x", 2))
		digits += 2;
	errno = 0;
	name->number = strtoull(digits, NULL, hex ? 16 : 10);
	return *digits && !errno &&
	       strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") == strlen(digits);
}

static bool worker_name_parse_text(const char *text, struct worker_name *name)
{
	name->text = text;
	name->length = strlen(text);
	/* A path of one slash is that of all. */
	while (name->kind == WORKER_BY_CGROUP && name->length && text[name->length - 1] == '/')
		name->length--;
	return *text && (name->kind != WORKER_BY_CGROUP || *text == '/') &&
	       (name->kind != WORKER_BY_UNIT || !strchr(text, '/'));
}

static bool worker_name_parse_one(const char *word, struct worker_name *name)
{
	const char *rest = word;

	*name = (struct worker_name){ .kind = WORKER_BY_ANY, .given = word };
	for (size_t i = 0; i < KINDS; i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(word, kinds[i].prefix, len))
			continue;
		name->kind = kinds[i].kind;
		rest = word + len;
	}
	return name->kind < WORKER_BY_COMM ?
		       worker_name_parse_number(rest, rest == word + 3, name) :
		       worker_name_parse_text(rest, name);
}

static size_t worker_name_count(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == ',';
	return n;
}

int worker_name_parse(const char *text, struct worker_name_list *list, struct reuseport_error *err)
{
	struct worker_name_list parsed = { .words = strdup(text) };
	char *word, *rest = parsed.words;

	parsed.names = calloc(worker_name_count(text), sizeof(*parsed.names));
	if (!parsed.words || !parsed.names) {
		worker_name_list_free(&parsed);
		return fail(err, ENOMEM, "out of memory");
	}
	while ((word = strsep(&rest, ","))) {
		if (worker_name_parse_one(word, &parsed.names[parsed.n++]))
			continue;
		fail(err, EINVAL,
		     "'%.32s' does not select a worker: use slot:N, pid:N, cookie:N, sk:HEX, "
		     "comm:NAME, unit:NAME, cgroup:/PATH or the number alone",
		     word);
		worker_name_list_free(&parsed);
		return -EINVAL;
	}
	*list = parsed;
	return 0;
}

void worker_name_list_free(struct worker_name_list *list)
{
	free(list->names);
	free(list->words);
	*list = (struct worker_name_list){ 0 };
}

bool worker_name_is_of_process(const struct worker_name *name)
{
	return name->kind != WORKER_BY_SLOT && name->kind != WORKER_BY_COOKIE;
}

static bool worker_name_is_unit(const struct worker_name *name, const char *part, size_t length)
{
	static const char suffix[] = ".service";
	size_t whole = name->length + sizeof(suffix) - 1;

	if (length != name->length && length != whole)
		return false;
	return !strncmp(part, name->text, name->length) &&
	       (length == name->length ||
		!strncmp(part + name->length, suffix, sizeof(suffix) - 1));
}

bool worker_name_fits_cgroup(const struct worker_name *name, const char *path)
{
	const char *part = path;

	if (name->kind == WORKER_BY_CGROUP)
		return !strncmp(path, name->text, name->length) &&
		       (!path[name->length] || path[name->length] == '/');
	while (*part) {
		size_t length = strcspn(part, "/");

		if (length && worker_name_is_unit(name, part, length))
			return true;
		part += length;
		part += *part == '/';
	}
	return false;
}
