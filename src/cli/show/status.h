/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status: attachments as text and as JSON. */
#ifndef CLI_SHOW_STATUS_H
#define CLI_SHOW_STATUS_H

#include <reuseport_bpf.h>

void show_status_text(const struct reuseport_status *list, size_t n);

/* Replaces bytes of names that are not valid UTF-8. */
void show_status_json(struct reuseport_status *list, size_t n);

#endif
