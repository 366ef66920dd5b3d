# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The fuzzer that is built with what it fuzzes. Its sanitizers are clang's own, whatever the
# rest is built with.

FUZZED := $(wildcard src/cli/simulate/packet*.c) src/cli/message.c src/cli/parse.c \
	src/cli/exit.c src/cli/format.c src/cli/hint.c

.PHONY: fuzz
fuzz: $(BUILD)/fuzz/packets

$(BUILD)/fuzz/packets: tests/fuzz/packets.c $(FUZZED) $(LIB_A)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CLI_INCLUDES) $(LIB_INCLUDES) -std=gnu11 -D_GNU_SOURCE -g -O1 \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $(filter %.c,$^) $(LIB_A) $(LIB_LIBS) $(CLI_LIBS)
