# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
#   make            library and reuseportctl, in build/
#   make check      installs what is missing, builds, runs the tests (root)
#   make check-all  and again with sanitizers, a newer clang, other kernels
#   make check-more what check-all adds
#   make soak       the tests, with all repetitions
#   make check-compilers  the tests of the BPF programs, with a newer clang as well
#   make check-kernels [KERNELS="6.1 6.12 host"]
#                   a selection of the tests on other kernels, in guests (root)
#   make kernels-table  writes what that has seen into docs/kernels.md
#   make demo       shows it at work in a private network namespace (root)
#   make bench      what it costs (root)
#   make examples   the programs in examples/
#   make install    honours DESTDIR, PREFIX, BINDIR, LIBDIR, INCLUDEDIR, MANDIR and DATADIR
#   make uninstall  removes what "make install" with the same values put there
#   make format     formats all C as .clang-format says
#   make vmlinux    cuts vmlinux.h again from the running kernel's BTF
#
# CC, CPPFLAGS, CFLAGS, LDFLAGS, AR, LD and OBJCOPY are taken from the environment or
# the command line. WERROR=1, as the tests set it, makes warnings errors. Hardening flags
# are added unless HARDENING is empty; the ones given win.

# The header has it.
VERSION := $(shell sed -n 's/^\#define REUSEPORT_VERSION_[A-Z]* \([0-9]*\)$$/\1/p' include/reuseport_types.h | \
	paste -sd.)
SOVERSION := 0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/sbin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share

CLANG ?= clang
CLANG_FORMAT ?= clang-format
OBJCOPY ?= objcopy
LLVM_STRIP ?= $(patsubst clang%,llvm-strip%,$(notdir $(CLANG)))
# Debian installs it where a plain user's PATH does not look.
BPFTOOL ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
BUILD ?= build
ifeq ($(strip $(BUILD)),)
$(error BUILD is empty)
endif

CFLAGS ?= -O2 -g

# Hardening flags; "make HARDENING=" leaves them out. They come before the packager's own
# flags, which win. Those that contradict one of these are looked for here.
HARDENING ?= yes
GIVEN_CFLAGS = $(CC) $(CPPFLAGS) $(CFLAGS)
# Whether the compiler takes the flags without a warning.
takes = $(shell $(CC) -O2 -Werror $(1) -include stdio.h -x c -c -o /dev/null /dev/null 2>/dev/null && \
	echo yes)
ifneq ($(strip $(HARDENING)),)
HARDENING_CFLAGS := -fstack-protector-strong \
	$(if $(call takes,-fstack-clash-protection),-fstack-clash-protection)
# The C library's checks need an optimizing compiler. The sanitizers check more.
ifeq ($(findstring _FORTIFY_SOURCE,$(GIVEN_CFLAGS))$(findstring -fsanitize,$(GIVEN_CFLAGS))$(SANITIZE),)
ifneq ($(filter-out -O0,$(lastword $(filter -O%,$(GIVEN_CFLAGS)))),)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE
HARDENING_CFLAGS += $(FORTIFY)=$(if $(call takes,$(FORTIFY)=3),3,2)
endif
endif
HARDENING_LDFLAGS := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
# Of the command, at a random address; the library is made for any address anyway.
ifeq ($(findstring no-pie,$(GIVEN_CFLAGS) $(LDFLAGS))$(findstring no-PIE,$(GIVEN_CFLAGS))$(filter -static,$(LDFLAGS)),)
PIE_CFLAGS := -fPIE
PIE_LDFLAGS := -pie
endif
endif

WARNINGS := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
# SANITIZE=1 builds under build/asan, with AddressSanitizer and UBSan.
ifdef SANITIZE
BUILD := build/asan
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

# LIBBPF=/prefix builds with the libbpf that "make install" put there, not the system's.
ifdef LIBBPF
LIBBPF_INCLUDE := -I$(LIBBPF)/include
LIBBPF_DIR := $(dir $(abspath $(firstword $(wildcard $(LIBBPF)/lib*/libbpf.so))))
LIBBPF_LIB := -L$(LIBBPF_DIR) -Wl,-rpath,$(LIBBPF_DIR)
endif

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DREUSEPORT_VERSION='"$(VERSION)"' $(WARNINGS) $(SANITIZERS) \
	$(HARDENING_CFLAGS) $(LIBBPF_INCLUDE) $(CPPFLAGS) $(CFLAGS)
# These come first: a -I of CPPFLAGS may have an older header of ours.
LIB_INCLUDES := -Iinclude -Ibpf -Isrc/lib -I$(BUILD)/skel
CLI_INCLUDES := -Iinclude -Isrc/cli
LINK_FLAGS = $(SANITIZERS) $(HARDENING_CFLAGS) $(HARDENING_LDFLAGS) $(CFLAGS) $(LDFLAGS)
LINK = $(CC) $(LINK_FLAGS)
LIB_LIBS := $(LIBBPF_LIB) -lbpf -lmnl -lcap -lelf -lz
CLI_LIBS := -lsmartcols -ljansson -lpcap

# Not every compiler tells where Debian has asm/.
MULTIARCH := $(or $(shell $(CC) -print-multiarch 2>/dev/null),$(shell uname -m)-linux-gnu)
BPF_TARGET := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/; s/ppc64le/powerpc/; s/riscv64/riscv/')
# The least instruction set, which clang takes by itself up to 19. Of v3, which clang 22
# takes, each atomic addition is one with a result (Linux 5.12), and what clang 19 and
# 22 make for it is more than the verifier of 6.1 looks through.
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v1 -D__TARGET_ARCH_$(BPF_TARGET) -Wall \
	$(if $(WERROR),-Werror) -ffile-prefix-map=$(CURDIR)=. \
	-I. -Ibpf -Iinclude $(LIBBPF_INCLUDE) -idirafter /usr/include/$(MULTIARCH)

BPF_NAMES := steer hooks sockopt group_iter queue_depth slot_sockets
SKELETONS := $(BPF_NAMES:%=$(BUILD)/skel/%.skel.h)
LIB_OBJECTS := $(patsubst src/lib/%.c,$(BUILD)/lib/%.o,$(sort $(wildcard src/lib/*.c src/lib/*/*.c)))
CLI_OBJECTS := $(patsubst src/cli/%.c,$(BUILD)/cli/%.o,$(sort $(wildcard src/cli/*.c src/cli/*/*.c)))
MAN_PAGES := $(patsubst man/%.scd,$(BUILD)/man/%,$(sort $(wildcard man/*.scd)))

CTL := $(BUILD)/reuseportctl
LIB_A := $(BUILD)/libreuseport-bpf.a
LIB_SO := $(BUILD)/libreuseport-bpf.so.$(VERSION)
LIB_PC := $(BUILD)/libreuseport-bpf.pc

# "make V=1" shows the commands, "make -s" not even their names.
Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@echo "  $(1) $@")

.PHONY: all
all: $(CTL) $(LIB_A) $(LIB_SO) $(LIB_PC) $(MAN_PAGES)

.SECONDARY:

# ---------------------------------------------------------------- BPF code

# Which clang makes the objects. With another one than last time they are made again.
$(BUILD)/bpf/clang: always
	@mkdir -p $(@D)
	$(Q)v=$$($(CLANG) -dumpversion 2>/dev/null) || exit 0; \
		[ "$$v" = "$$(cat $@ 2>/dev/null)" ] || echo "$$v" > $@

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c vmlinux.h $(wildcard bpf/*.h bpf/decide/*.h) $(BUILD)/bpf/clang
	@command -v $(CLANG) >/dev/null || { echo "$(CLANG) is missing: run 'make deps-build' as root" >&2; exit 1; }
	@mkdir -p $(@D)
	$(call say,BPF )
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(BUILD)/skel/%.skel.h: $(BUILD)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# ----------------------------------------------------- library and command

# Without LTO: the archive below is made of machine code.
$(BUILD)/lib/%.o: src/lib/%.c | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(LIB_INCLUDES) $(ALL_CFLAGS) -fPIC -fno-lto -MMD -MP -c $< -o $@

# The command is a client of the public header and of nothing else.
$(BUILD)/cli/%.o: src/cli/%.c
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(CC) $(CLI_INCLUDES) $(PIE_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# One object in which only the public calls are global: a program that is linked
# statically may have a fail() of its own.
$(LIB_A): $(LIB_OBJECTS) src/lib/libreuseport-bpf.map
	$(call say,AR  )
	$(Q)rm -f $@
	$(Q)$(LD) -r -o $(BUILD)/reuseport-bpf.o $(LIB_OBJECTS)
	$(Q)sed -n 's/^[[:space:]]*\(reuseport_[a-z0-9_]*\);/\1/p' src/lib/libreuseport-bpf.map > $(BUILD)/public
	$(Q)$(OBJCOPY) --keep-global-symbols=$(BUILD)/public $(BUILD)/reuseport-bpf.o
	$(Q)$(AR) rcs $@ $(BUILD)/reuseport-bpf.o

$(LIB_SO): $(LIB_OBJECTS) src/lib/libreuseport-bpf.map
	$(call say,LD  )
	$(Q)$(LINK) -shared -Wl,-soname,libreuseport-bpf.so.$(SOVERSION) \
		-Wl,--version-script=src/lib/libreuseport-bpf.map \
		-o $@ $(LIB_OBJECTS) $(LIB_LIBS)
	$(Q)ln -sf $(@F) $(BUILD)/libreuseport-bpf.so.$(SOVERSION)
	$(Q)ln -sf $(@F) $(BUILD)/libreuseport-bpf.so

$(CTL): $(CLI_OBJECTS) $(LIB_A)
	$(call say,LD  )
	$(Q)$(CC) $(PIE_LDFLAGS) $(LINK_FLAGS) -o $@ $^ $(LIB_LIBS) $(CLI_LIBS)

# Made each time: PREFIX may be another than the last one.
.PHONY: always
$(LIB_PC): packaging/libreuseport-bpf.pc.in always
	@mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' $< > $@

$(BUILD)/man/%: man/%.scd
	@mkdir -p $(@D)
	$(call say,MAN )
	$(Q)scdoc < $< > $@.tmp && mv $@.tmp $@

# ---------------------------------------------------------------- vmlinux.h

VMLINUX_FULL := $(BUILD)/vmlinux-full
.PHONY: vmlinux
vmlinux:
	packaging/cut-vmlinux.sh $(VMLINUX_FULL) "$(CLANG) $(subst -I. ,,$(BPF_CFLAGS))" $(BPFTOOL) > $(BUILD)/vmlinux.h.new
	mv $(BUILD)/vmlinux.h.new vmlinux.h

# ---------------------------------------------------------------------- test

.PHONY: deps deps-build
deps:
	@packaging/deps.sh build test

deps-build:
	@packaging/deps.sh build

.PHONY: check check-all check-more soak
check:
	@packaging/deps.sh build test
	@tests/run.sh

check-all:
	@packaging/deps.sh build test kernels compilers
	@tests/run.sh --all

check-more:
	@packaging/deps.sh build test kernels compilers
	@tests/run.sh --more

soak:
	@packaging/deps.sh build test
	@tests/run.sh --soak

.PHONY: check-compilers
check-compilers:
	@packaging/deps.sh build test compilers
	@tests/run.sh --bpf --clang clang-19

.PHONY: check-kernels
check-kernels:
	@packaging/deps.sh build test kernels compilers
	@KERNELS="$(KERNELS)" tests/kernels/run.sh

# The table in docs/kernels.md, by what the last check-kernels has seen.
.PHONY: kernels-table
kernels-table:
	@tests/kernels/table.sh --write

.PHONY: demo
demo:
	@packaging/deps.sh build demo
	@$(MAKE) --no-print-directory -s all helpers examples
	@tests/demo.sh $(CTL)

.PHONY: bench
bench:
	@packaging/deps.sh build test
	@$(MAKE) --no-print-directory -s all helpers
	@bench/run.sh $(BUILD)

include tests/helpers/helpers.mk
include examples/examples.mk

# ---------------------------------------------------------------- formatting

# vmlinux.h is generated.
FORMATTED = $(shell find bench bpf examples include src tests -name '*.[ch]' -o -name '*.cpp')

.PHONY: format check-format
format:
	$(CLANG_FORMAT) -i $(FORMATTED)

check-format:
	@$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

# ------------------------------------------------------- install, uninstall

HEADERS := $(wildcard include/*.h)
SO_LINKS := libreuseport-bpf.so.$(SOVERSION) libreuseport-bpf.so
MAN_SECTIONS := $(sort $(subst .,,$(suffix $(MAN_PAGES))))
# Further names of a page, as NAME=PAGE: "man NAME" shows it.
MAN_NAMES := $(shell awk 'FNR == 1 { page = FILENAME; gsub(/.*\/|\.scd$$/, "", page) } \
	/^\# / { named = $$2 == "NAME"; next } \
	named { n = split($$0, word, /[, ]+/); for (i = 1; i <= n && word[i] != "-"; i++) \
		if (word[i] ".3" != page && word[i] != "") print word[i] "=" page; if (i <= n) named = 0 }' \
	/dev/null $(filter-out man/libreuseport-bpf.3.scd,$(wildcard man/*.3.scd)))
# Python looks there if PYTHONPATH names it.
PYTHON_MODULES := $(wildcard python/*.py)
PYTHONDIR = $(DATADIR)/reuseport-bpf/python

INSTALLED = $(BINDIR)/$(notdir $(CTL)) \
	$(addprefix $(LIBDIR)/,$(notdir $(LIB_A) $(LIB_SO)) $(SO_LINKS) pkgconfig/$(notdir $(LIB_PC))) \
	$(addprefix $(INCLUDEDIR)/,$(notdir $(HEADERS))) \
	$(addprefix $(PYTHONDIR)/,$(notdir $(PYTHON_MODULES))) \
	$(foreach page,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	$(foreach name,$(MAN_NAMES),$(MANDIR)/man3/$(firstword $(subst =, ,$(name))).3)
# What Python makes of them.
PYTHON_CACHE = $(PYTHONDIR)/__pycache__
INSTALL_DIRS = $(addprefix $(MANDIR)/man,$(MAN_SECTIONS)) $(LIBDIR)/pkgconfig $(LIBDIR) \
	$(INCLUDEDIR) $(BINDIR) $(PYTHONDIR)
# With those that come to be above them, innermost first.
parent = $(patsubst %/,%,$(dir $(1)))
MADE_DIRS = $(INSTALL_DIRS) $(call parent,$(PYTHONDIR)) $(MANDIR) $(DATADIR) $(call parent,$(MANDIR)) \
	$(call parent,$(LIBDIR)) $(PREFIX)

.PHONY: install
install: all
	install -d $(addprefix $(DESTDIR),$(INSTALL_DIRS))
	install -m 755 $(CTL) $(DESTDIR)$(BINDIR)
	install -m 755 $(LIB_SO) $(DESTDIR)$(LIBDIR)
	install -m 644 $(LIB_A) $(DESTDIR)$(LIBDIR)
	for link in $(SO_LINKS); do ln -sf $(notdir $(LIB_SO)) $(DESTDIR)$(LIBDIR)/$$link || exit 1; done
	install -m 644 $(LIB_PC) $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)
	install -m 644 $(PYTHON_MODULES) $(DESTDIR)$(PYTHONDIR)
	for page in $(MAN_PAGES); do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit 1; done
	for name in $(MAN_NAMES); do \
		echo ".so man3/$${name#*=}" > $(DESTDIR)$(MANDIR)/man3/$${name%=*}.3 || exit 1; done

# Directories go if they are empty, and not the system's own.
.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED)) $(PYTHON_MODULES:python/%.py=$(DESTDIR)$(PYTHON_CACHE)/%.*.pyc)
	for dir in $(filter-out / /usr /usr/%,$(addprefix $(DESTDIR),$(PYTHON_CACHE) $(MADE_DIRS))); do \
		[ ! -d $$dir ] || rmdir --ignore-fail-on-non-empty $$dir || exit 1; done

.PHONY: clean
clean:
	rm -rf build

-include $(LIB_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d)
