# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The test helpers: small real processes, see the first comment of each.

HELPER_NAMES := worker churn client load queue half_open notify flows twins delay netns_cookie
HELPERS := $(HELPER_NAMES:%=$(BUILD)/helpers/%)
# These use the library: in the sanitized run it is the sanitized one.
LIBRARY_HELPERS := $(BUILD)/helpers/changes $(BUILD)/helpers/explain

.PHONY: helpers library-helpers
helpers: $(HELPERS) library-helpers
library-helpers: $(LIBRARY_HELPERS)

$(LIBRARY_HELPERS): $(BUILD)/helpers/%: tests/helpers/%.c tests/helpers/common.c \
		tests/helpers/common.h $(LIB_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Iinclude -o $@ $< tests/helpers/common.c $(LIB_A) \
		$(LIB_LIBS)

$(BUILD)/helpers/%: tests/helpers/%.c tests/helpers/common.c tests/helpers/common.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< tests/helpers/common.c

include tests/unit/unit.mk
