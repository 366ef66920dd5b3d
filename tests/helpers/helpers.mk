# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The test helpers: small real processes, see the first comment of each.

HELPER_NAMES := worker churn client load queue half_open notify flows twins delay leftovers \
	descriptors swap holder ask asker sockopts sockopt_worker
HELPERS := $(HELPER_NAMES:%=$(BUILD)/helpers/%)
# These use the library: in the sanitized run it is the sanitized one.
LIBRARY_HELPERS := $(BUILD)/helpers/calls $(BUILD)/helpers/changes $(BUILD)/helpers/explain_lines

.PHONY: helpers library-helpers
helpers: $(HELPERS) $(BUILD)/helpers/verify $(BUILD)/helpers/other_sockopt.bpf.o library-helpers
library-helpers: $(LIBRARY_HELPERS)

$(LIBRARY_HELPERS): $(BUILD)/helpers/%: tests/helpers/%.c tests/helpers/common.c \
		tests/helpers/common.h $(LIB_A)
	@mkdir -p $(@D)
	$(Q)$(CC) -Iinclude $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< tests/helpers/common.c $(LIB_A) \
		$(LIB_LIBS)

# It sees the library's inside and stands between it and libbpf; it tells which
# compiler made the BPF objects.
$(BUILD)/helpers/verify: tests/helpers/verify.c tests/helpers/common.c tests/helpers/common.h \
		$(LIB_OBJECTS) $(BUILD)/bpf/clang
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_INCLUDES) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--wrap=bpf_object__load_skeleton \
		-DBPF_COMPILER="\"clang-$$(cat $(BUILD)/bpf/clang)\"" \
		-o $@ $< tests/helpers/common.c $(LIB_OBJECTS) $(LIB_LIBS) -ljansson

SOCKOPTS_MORE := tests/helpers/sockopts_calls.c tests/helpers/sockopts_uring.c
$(BUILD)/helpers/sockopts: HELPER_LIBS := $(SOCKOPTS_MORE)
$(BUILD)/helpers/sockopts: $(SOCKOPTS_MORE) tests/helpers/sockopts.h

$(BUILD)/helpers/leftovers $(BUILD)/helpers/ask: HELPER_LIBS := $(LIBBPF_LIB) -lbpf
$(BUILD)/helpers/asker: HELPER_LIBS := tests/helpers/asker_keeper.c $(LIBBPF_LIB) -lbpf
$(BUILD)/helpers/asker: tests/helpers/asker_keeper.c tests/helpers/asker.h
$(BUILD)/helpers/sockopt_worker: HELPER_LIBS := -pthread
$(BUILD)/helpers/sockopt_worker: HELPER_INCLUDES := -Iinclude
$(BUILD)/helpers/ask $(BUILD)/helpers/asker: HELPER_INCLUDES := -Ibpf -Iinclude

$(BUILD)/helpers/%: tests/helpers/%.c tests/helpers/common.c tests/helpers/common.h
	@mkdir -p $(@D)
	$(CC) $(HELPER_INCLUDES) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< tests/helpers/common.c $(HELPER_LIBS)

# Of another tool, so nothing of ours is in it.
$(BUILD)/helpers/%.bpf.o: tests/helpers/%.bpf.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
