// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The library's version. */
#include "reuseport_bpf.h"

const char *reuseport_version(void)
{
	return REUSEPORT_VERSION;
}
