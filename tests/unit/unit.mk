# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The unit tests: one program of cmocka's a file, built to $(BUILD)/unit/NAME.
# They see the pure headers and the library's inside.

comma := ,
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard tests/unit/*.c)))

.PHONY: unit
unit: $(UNIT_TESTS)

$(BUILD)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h bpf/decide/*.h) $(LIB_OBJECTS)
	@mkdir -p $(@D)
	$(CC) $(LIB_INCLUDES) $(ALL_CFLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) -o $@ $< \
		$(UNIT_OBJECTS) $(LIB_OBJECTS) $(LIB_LIBS) -lcmocka -lm

# The host that it compiles for is made up.
$(BUILD)/unit/table_compile: UNIT_LDFLAGS := -Wl,--wrap=topology_cpus_of_node

# Sockets, CPUs and membarrier() are made up as well.
$(BUILD)/unit/publish $(BUILD)/unit/publish_cases: UNIT_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,sockarray_holds topology_nodes \
	topology_cpus_of_node cpus_of_process slot_sockets_read syscall table_compile)

# The affinity is made up.
$(BUILD)/unit/worker_cpus: UNIT_LDFLAGS := -Wl,--wrap=cpus_of_process

# What a scan looks at is counted.
$(BUILD)/unit/owner_scan: UNIT_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,readlinkat proc_dir_open)

# Probes and capabilities are made up.
$(BUILD)/unit/features: UNIT_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,caps_missing probe_mmap \
	probe_ticks)

# No program is looked up.
$(BUILD)/unit/group_members: UNIT_LDFLAGS := -Wl,--wrap=group_program_name

# Nor here; and what is read of the kernel's sockets is made up, as below.
$(BUILD)/unit/group_snapshot: UNIT_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,group_program_name \
	group_members_read_port)

# What is read of the kernel's sockets is made up.
$(BUILD)/unit/port_sockets: UNIT_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,sock_diag_dump_all \
	group_iter_read_port)

# What the command decides purely.
$(BUILD)/unit/status_interval: UNIT_OBJECTS := $(BUILD)/cli/status_interval.o
$(BUILD)/unit/status_interval: UNIT_LDFLAGS := -Isrc/cli
$(BUILD)/unit/status_interval: $(BUILD)/cli/status_interval.o
