// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Host state: the handle of the host's keeper, and what it knows of each attachment. */
#include <stdarg.h>
#include <stdio.h>

#include "keeper/host_state.h"

void host_log(struct reuseport_keeper *keeper, const struct host_entry *entry, int level,
	      const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (!keeper->opts.log)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	keeper->opts.log(keeper->opts.log_ctx, entry && *entry->log ? entry->log : NULL, level,
			 line);
}
