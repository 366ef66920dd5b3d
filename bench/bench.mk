# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds the benchmark's programs with the flags and rules of the Makefile. They
# see the library's inside, as the unit tests do.
#   make -f bench/bench.mk BUILD=build
.DEFAULT_GOAL := bench-programs
include Makefile

BENCH_PROGRAMS := runtime endtoend join build change host large sockopt
BENCH_LIBS := $(LIB_LIBS) -ljansson -lm -pthread

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS:%=$(BUILD)/bench/%)

$(BUILD)/bench/%.bpf.o: bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(LLVM_STRIP) -g $@

$(BUILD)/bench/%.skel.h: $(BUILD)/bench/%.bpf.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

$(BUILD)/bench/%.o: bench/%.c $(wildcard bench/*.h src/lib/*.h src/lib/*/*.h bpf/abi.h) | $(BUILD)/bench/baseline.skel.h
	@mkdir -p $(@D)
	$(CC) -Ibench -I$(BUILD)/bench $(LIB_INCLUDES) $(ALL_CFLAGS) -pthread -c $< -o $@

$(BUILD)/bench/programs.o: $(BUILD)/bench/baseline.skel.h

PROGRAMS := programs.o contenders.o ours.o
$(BUILD)/bench/runtime: $(addprefix $(BUILD)/bench/,runtime.o packets.o $(PROGRAMS))
$(BUILD)/bench/endtoend: $(addprefix $(BUILD)/bench/,endtoend.o traffic.o $(PROGRAMS))
$(BUILD)/bench/join: $(addprefix $(BUILD)/bench/,join.o joins.o ctl.o)
$(BUILD)/bench/change: $(addprefix $(BUILD)/bench/,change.o ctl.o)
$(BUILD)/bench/host: $(addprefix $(BUILD)/bench/,host.o servers.o elsewhere.o keepers.o joins.o ctl.o)
$(BUILD)/bench/sockopt: $(addprefix $(BUILD)/bench/,sockopt.o elsewhere.o ctl.o)
$(BUILD)/bench/large: $(addprefix $(BUILD)/bench/,large.o joins.o ctl.o)
$(BUILD)/bench/build: $(addprefix $(BUILD)/bench/,build.o ours.o)

$(BENCH_PROGRAMS:%=$(BUILD)/bench/%): $(addprefix $(BUILD)/bench/,net.o stats.o) $(LIB_OBJECTS)
	$(LINK) -o $@ $^ $(BENCH_LIBS)
