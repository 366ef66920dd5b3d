/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status: attachments as text and as JSON. */
#ifndef CLI_SHOW_STATUS_H
#define CLI_SHOW_STATUS_H

#include <reuseport_bpf.h>

/* Each takes n pointers. The second returns an exit status, with a message on failure. */
void show_status_text(const struct reuseport_status *const *list, size_t n);
int show_status_json(const struct reuseport_status *const *list, size_t n);

#endif
