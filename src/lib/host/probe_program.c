// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Probe program: the tiny programs that probes load. */
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "host/probe_program.h"

int probe_program_load(enum bpf_prog_type type, enum bpf_attach_type attach_type, int btf_id,
		       const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type,
		    .attach_btf_id = btf_id);
	int fd = bpf_prog_load(type, "reuseport_probe", "GPL", insns, n, &opts);

	return fd < 0 ? -errno : fd;
}

int probe_program_close(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
