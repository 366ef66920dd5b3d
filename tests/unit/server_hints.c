/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Server hints: each server gets its own, by the name of its process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <string.h>

#include "sockets/server_hints.h"

static void by_the_beginning_of_the_name(void **state)
{
	static const struct {
		const char *comm, *says;
	} cases[] = {
		{ "nginx", "'listen'" },
		{ "haproxy", "shards by-thread" },
		{ "named", "reuseport yes;" },
		{ "unbound", "so-reuseport" },
		{ "python3.11", "reuse_port=True" },
		{ "gunicorn: maste", "--reuse-port" },
		{ "apache2", "ListenCoresBucketsRatio" },
		/* One name begins with the other. */
		{ "pdns_recursor", "pdns-distributes-queries" },
		{ "pdns_server", "receiver-threads" },
		/* It says "has no SO_REUSEPORT" of TCP whatever is set. */
		{ "pdns_server", "for UDP alone" },
		{ "pdns", "receiver-threads" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strstr(server_hint_reuseport(cases[i].comm), cases[i].says))
			fail_msg("%s: %s", cases[i].comm, server_hint_reuseport(cases[i].comm));
}

static void of_an_unknown_server(void **state)
{
	static const char *const others[] = { "", "ngin", "xnginx", "Nginx", "worker" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const char *hint = server_hint_reuseport(others[i]);

		assert_non_null(strstr(hint, "SO_REUSEPORT before bind"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_beginning_of_the_name),
		cmocka_unit_test(of_an_unknown_server),
	};

	return cmocka_run_group_tests_name("server_hints", tests, NULL, NULL);
}
