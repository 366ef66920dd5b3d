# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The examples, as their first comments say: with the headers, and where they use it the library.

EXAMPLES := $(patsubst examples/%,$(BUILD)/examples/%,$(basename $(wildcard examples/*.c examples/*.cpp)))

.PHONY: examples
examples: $(EXAMPLES)

$(BUILD)/examples/%: examples/%.c include/reuseport_sockopt.h
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) -Iinclude $(WARNINGS) $(CPPFLAGS) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $<

$(BUILD)/examples/%: examples/%.cpp $(LIB_A) $(wildcard include/*.h)
	@mkdir -p $(@D)
	$(call say,CXX )
	$(Q)$(CXX) -Iinclude -Wall -Wextra $(if $(WERROR),-Werror) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS) \
		-o $@ $< $(LIB_A) $(LIB_LIBS)
