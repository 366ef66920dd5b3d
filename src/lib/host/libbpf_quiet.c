// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Silence libbpf during a load whose failure the caller explains itself. */
#include <bpf/libbpf.h>
#include <pthread.h>

#include "host/libbpf_quiet.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned int users;                /* threads between begin and end */
static libbpf_print_fn_t application_fn;  /* what was there before the first of them */
static __thread unsigned int quiet_depth; /* of this thread */

static int libbpf_quiet_filter(enum libbpf_print_level level, const char *fmt, va_list args)
{
	libbpf_print_fn_t fn = __atomic_load_n(&application_fn, __ATOMIC_ACQUIRE);

	return quiet_depth || !fn ? 0 : fn(level, fmt, args);
}

void libbpf_quiet_begin(void)
{
	libbpf_print_fn_t before;

	quiet_depth++;
	pthread_mutex_lock(&mutex);
	if (!users++) {
		before = libbpf_set_print(libbpf_quiet_filter);
		/* The filter is there still if a fork has cut an earlier end off. */
		if (before != libbpf_quiet_filter)
			__atomic_store_n(&application_fn, before, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&mutex);
}

void libbpf_quiet_end(void)
{
	libbpf_print_fn_t present;

	pthread_mutex_lock(&mutex);
	if (!--users) {
		present = libbpf_set_print(application_fn);
		/* The application has set another one meanwhile. */
		if (present != libbpf_quiet_filter)
			libbpf_set_print(present);
	}
	pthread_mutex_unlock(&mutex);
	quiet_depth--;
}

void libbpf_quiet_after_fork(void)
{
	pthread_mutex_init(&mutex, NULL);
	users = quiet_depth ? 1 : 0;
}
