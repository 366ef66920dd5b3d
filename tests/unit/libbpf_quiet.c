// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Silencing libbpf: whose messages are dropped, and that the application's callback is back
 * afterwards, whatever threads did at the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <pthread.h>
#include <semaphore.h>

#include "host/libbpf_quiet.h"

static unsigned int heard;

static int application(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	__atomic_add_fetch(&heard, 1, __ATOMIC_RELAXED);
	return 0;
}

static int another(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return application(level, fmt, args);
}

/* Return how many messages of a failing call of libbpf reach the application. */
static unsigned int messages(void)
{
	unsigned int before = __atomic_load_n(&heard, __ATOMIC_RELAXED);

	assert_null(bpf_object__open_file("/no/such/object", NULL));
	return __atomic_load_n(&heard, __ATOMIC_RELAXED) - before;
}

static libbpf_print_fn_t callback(void)
{
	libbpf_print_fn_t present = libbpf_set_print(NULL);

	libbpf_set_print(present);
	return present;
}

static void this_thread_is_silent(void **state)
{
	(void)state;
	libbpf_set_print(application);
	assert_true(messages() > 0);
	libbpf_quiet_begin();
	assert_int_equal(messages(), 0);
	libbpf_quiet_begin();
	libbpf_quiet_end();
	assert_int_equal(messages(), 0);
	libbpf_quiet_end();
	assert_true(messages() > 0);
	assert_ptr_equal(callback(), application);
}

struct other {
	sem_t begun, may_end;
};

static void *other_thread(void *arg)
{
	struct other *other = arg;

	libbpf_quiet_begin();
	sem_post(&other->begun);
	sem_wait(&other->may_end);
	libbpf_quiet_end();
	return NULL;
}

static void overlapping_threads_restore_the_callback(void **state)
{
	struct other other;
	pthread_t thread;

	(void)state;
	libbpf_set_print(application);
	sem_init(&other.begun, 0, 0);
	sem_init(&other.may_end, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, other_thread, &other), 0);
	sem_wait(&other.begun);
	/* The other one is silent, this one is not. */
	assert_true(messages() > 0);
	libbpf_quiet_begin();
	sem_post(&other.may_end);
	pthread_join(thread, NULL);
	assert_int_equal(messages(), 0);
	libbpf_quiet_end();
	assert_ptr_equal(callback(), application);
	assert_true(messages() > 0);
}

static void what_the_application_sets_meanwhile_stays(void **state)
{
	(void)state;
	libbpf_set_print(application);
	libbpf_quiet_begin();
	assert_ptr_not_equal(libbpf_set_print(another), another);
	libbpf_quiet_end();
	assert_ptr_equal(callback(), another);
}

static void no_callback_is_a_callback(void **state)
{
	(void)state;
	libbpf_set_print(NULL);
	libbpf_quiet_begin();
	assert_int_equal(messages(), 0);
	libbpf_quiet_end();
	assert_null(callback());
}

static void *begin_end(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		libbpf_quiet_begin();
		libbpf_quiet_end();
	}
	return arg;
}

static void many_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	libbpf_set_print(application);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, begin_end, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_ptr_equal(callback(), application);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_thread_is_silent),
		cmocka_unit_test(overlapping_threads_restore_the_callback),
		cmocka_unit_test(what_the_application_sets_meanwhile_stays),
		cmocka_unit_test(no_callback_is_a_callback),
		cmocka_unit_test(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
