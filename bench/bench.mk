# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds the benchmark's programs with the flags and rules of the Makefile.
#   make -f bench/bench.mk BUILD=build
.DEFAULT_GOAL := bench-programs
include Makefile

BENCH_PROGRAMS := runtime endtoend join
BENCH_LIBS := -lbpf -lelf -lz -ljansson -lm -pthread

.PHONY: bench-programs
bench-programs: $(BENCH_PROGRAMS:%=$(BUILD)/bench/%)

$(BUILD)/bench/%.bpf.o: bench/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(LLVM_STRIP) -g $@

$(BUILD)/bench/%.skel.h: $(BUILD)/bench/%.bpf.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

$(BUILD)/bench/%.o: bench/%.c $(wildcard bench/*.h) | $(BUILD)/bench/baseline.skel.h $(BUILD)/skel/steer.skel.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -pthread -Ibench -I$(BUILD)/bench -I$(BUILD)/skel -c $< -o $@

$(BUILD)/bench/programs.o: $(BUILD)/bench/baseline.skel.h $(BUILD)/skel/steer.skel.h

$(BUILD)/bench/runtime: $(addprefix $(BUILD)/bench/,runtime.o programs.o)
$(BUILD)/bench/endtoend: $(addprefix $(BUILD)/bench/,endtoend.o traffic.o programs.o)
$(BUILD)/bench/join: $(BUILD)/bench/join.o

$(BENCH_PROGRAMS:%=$(BUILD)/bench/%): $(addprefix $(BUILD)/bench/,net.o stats.o)
	$(CC) $(SANITIZERS) $(LDFLAGS) -o $@ $^ $(BENCH_LIBS)
