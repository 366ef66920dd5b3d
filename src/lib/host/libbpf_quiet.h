/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Silences libbpf while a load is tried whose failure has a meaning for us. */
#ifndef HOST_LIBBPF_QUIET_H
#define HOST_LIBBPF_QUIET_H

#include <bpf/libbpf.h>

static inline libbpf_print_fn_t libbpf_quiet_begin(void)
{
	return libbpf_set_print(NULL);
}

static inline void libbpf_quiet_end(libbpf_print_fn_t before)
{
	libbpf_set_print(before);
}

#endif
