/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Silence libbpf during a load whose failure the caller explains itself. */
#ifndef HOST_LIBBPF_QUIET_H
#define HOST_LIBBPF_QUIET_H

/*
 * Drop libbpf's messages of this thread until libbpf_quiet_end(). Those of other threads
 * still reach the application's print callback, which is process-wide. Calls nest, and may
 * overlap in different threads: the last end puts the application's callback back.
 */
void libbpf_quiet_begin(void);
void libbpf_quiet_end(void);

/* In a child made by fork(): forget what other threads were doing. */
void libbpf_quiet_after_fork(void);

#endif
