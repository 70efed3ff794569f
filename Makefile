# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Builds, tests and installs erofs-ishare. `make help` lists the targets.
#
# Variables for the command line:
#
#	V=1		show the commands
#	WERROR=1	treat the compiler's warnings as errors
#	CC, CFLAGS, LDFLAGS
#			compiler, and additional flags; a change causes a rebuild
#	ONLY=PROGRAM, ONLY=PROGRAM:POINT
#			with a test target: run this test program alone, or show this point alone
#	SAMPLE=SEED	run only a part of long tests, chosen by the seed (in continuous
#			integration, the commit's hash); without it, or with SAMPLE=FULL, everything
#	KDIR=/path/to/linux
#			the source of the kernel under test; the directory is not modified
#	deps-NAME=	do not check the packages of this list: their contents come from elsewhere
#	PREFIX, DESTDIR, BINDIR, LIBDIR, INCLUDEDIR, MANDIR, COMPLETIONDIR
#			directories for `make install`
#
# All generated files are below build/. The program is built in several variants, each in its own
# directory, which mirrors the tree: build/ itself, build/asan, build/i386, build/s390x, and
# build/lint-gcc and build/lint-clang, which are only compiled. Generated sources are named without
# build/, where vpath finds them. The targets of a folder are in one file in that folder, with its
# name.

export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
export KDIR SAMPLE
# Compilers run under ccache where Debian's package is installed; afl-clang-fast runs clang by its
# path, past ccache.
ifneq ($(wildcard /usr/lib/ccache),)
export PATH := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(CURDIR)/build/ccache
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
# Several goals are made one after the other: each may keep all processors busy.
ifneq ($(word 2,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
endif
Q := $(if $(V),,@)
sampled = $(addprefix --sample ,$(filter-out FULL,$(SAMPLE)))
silent = $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS))))
say = $(if $(V)$(silent),,@printf '  %-7s %s\n' $(1) $(2))

.PHONY: all
all: ## build: Build build/erofs-ishare and build/libishare.a (the default)
all: build/erofs-ishare build/libishare.a

# ---- Packages from Debian ----
#
# A list of packages has the name of the target that installs it. needs_TARGET names the list that a
# target needs, if it is not deps. Everything else depends on `packages`, which checks the lists of
# all goals, and installs packages only for demo and test.

DEPS := deps deps-test deps-arch deps-proofs deps-kernel deps-fuzz deps-images
.PHONY: $(DEPS) deps-all packages
deps: ## packages: Install what all, spec and demo need
deps-test: ## packages: Install what test and lint need
deps-arch: ## packages: Install what test-arch needs
deps-proofs: ## packages: Install what test-proofs and test-mutants need
deps-kernel: ## packages: Install what guests, test-kernel and the other kernel tests need
deps-fuzz: ## packages: Install what fuzzers, campaign, report-fuzz, test-fuzz, -fuzz-kernel need
deps-images: ## packages: Install what images and erofs-utils need
deps-all: ## packages: Install all of these

deps := gcc libc6-dev make pkg-config libjansson-dev libssl-dev libxxhash-dev python3 python3-yaml \
	python3-markdown-it
# npm may be installed from elsewhere.
deps-test := $(deps) patch perl git clang clang-format shellcheck pyflakes3 reuse codespell \
	libcmocka-dev python3-jsonschema mandoc npm
deps-arch := $(deps) gcc-i686-linux-gnu libc6-dev-i386-cross gcc-s390x-linux-gnu \
	libc6-dev-s390x-cross qemu-user perl
deps-all = $(foreach d,$(DEPS),$($(d)))

$(DEPS) deps-all:
	$(Q)tests/tools/need-packages $(sort $($@))

LIBRARIES := jansson libcrypto libxxhash
lists_of = $(sort $(foreach g,$(1),$(or \
	$(needs_$(g)),$(if $(filter build/fuzz/%,$(g)),deps-fuzz,deps))))
packages:
	$(Q)$(foreach l,$(call lists_of,$(filter demo test,$(MAKECMDGOALS))),\
		$(if $($(l)),tests/tools/need-packages $(sort $($(l))) &&)) :
	$(Q)$(foreach l,$(call lists_of,$(or $(MAKECMDGOALS),all)),\
		$(if $($(l)),tests/tools/need-packages --check $(l) $(sort $($(l))) &&)) :
	$(Q)pkg-config --exists $(LIBRARIES) \
		|| { echo "missing libraries: $(LIBRARIES): run 'make deps'" >&2; exit 1; }

# ---- Sources and variants ----

VERSION := $(shell sed -n 's/^.define ISHARE_VERSION "\(.*\)"/\1/p' ref/ishare.h)
CORE := $(wildcard ref/core/*.c) spec/codec.c
vpath spec/codec.c build
LIB := $(wildcard ref/image/*.c ref/check/*.c ref/domain/*.c)
CMD := $(wildcard ref/cmd/*.c)
UNIT := $(wildcard tests/unit/*_test.c)

CC := gcc
CFLAGS := -O2 -g
LDFLAGS :=
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wundef -Wpointer-arith -Wvla -Wimplicit-fallthrough -Wformat=2 $(if $(WERROR),-Werror)
INCLUDES := -Iref -Iref/core -Ibuild/spec
CORE_FLAGS := -std=c11 -ffreestanding
HOSTED_FLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -pthread
# For all code, above all the core, which parses hostile bytes. The flags that mark the targets of
# indirect jumps depend on the processor: those that the compiler accepts. The core has no libc
# calls to fortify.
HARDENING = -fstack-protector-strong -fstack-clash-protection -fPIE $(branch_protection)
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARDENED_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Without a run-time library: a foreign program dies by SIGILL instead of a sanitizer's report.
TRAP := -fsanitize=undefined -fsanitize-undefined-trap-on-error

# Evaluated once, on first use.
branch_protection = $(eval branch_protection := $$(call taken_flags,-fcf-protection=full \
	-mbranch-protection=standard))$(branch_protection)
taken_flags = $(foreach f,$(1),$(if $(shell $(CC) -Werror $(f) -fsyntax-only -x c /dev/null 2>&1 \
	|| echo no),,$(f)))

host_cflags = $(shell pkg-config --cflags $(LIBRARIES))
host_libs = $(shell pkg-config --libs jansson libcrypto)

# The library is one object in which only public names stay global: ishare_*, and the functions
# named after rules.
rule_symbols = $$(sed -n 's/^\tISHARE_RULE_\(.*\),$$/--keep-global-symbol=\L\1/p' \
	build/spec/rules.h)

# $(call variant,DIRECTORY,COMPILER,FLAGS,FLAGS OF HOSTED CODE,LINKER FLAGS,LIBRARIES,PREREQUISITE)
# The objects depend on what the specification generates and on the flags; the flags' file changes
# when they do.
define variant
$(1)_cc = $(2) $$(WARNINGS) $$(INCLUDES) $(3) $$(CFLAGS)
$(1)_link = $(2) $(3) $(5) $$(CFLAGS) $$(LDFLAGS)

$(1)/.flags: FORCE | $(7) build/spec/.complete
	@mkdir -p $$(@D)
	@printf '%s\n' '$$($(1)_cc) $$(CORE_FLAGS) $$(HOSTED_FLAGS) $(4) $$($(1)_link) $(6)' \
		>$$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi

$(1)/ref/core/%.o: ref/core/%.c $(1)/.flags build/spec/.stamp
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_cc) $$(CORE_FLAGS) -MMD -MP -c -o $$@ $$<

$(1)/spec/codec.o: spec/codec.c $(1)/.flags build/spec/.stamp
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_cc) $$(CORE_FLAGS) -MMD -MP -c -o $$@ $$<

$(1)/%.o: %.c $(1)/.flags build/spec/.stamp
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_cc) $$(HOSTED_FLAGS) $(4) -MMD -MP -c -o $$@ $$<

$(1)/rules.o: build/spec/rules.c $(1)/.flags build/spec/.stamp
	$$(call say,CC,$$@)
	$$(Q)$$($(1)_cc) $$(HOSTED_FLAGS) $(4) -c -o $$@ $$<

$(1)/libishare.o: $$(CORE:%.c=$(1)/%.o) $$(LIB:%.c=$(1)/%.o) $(1)/rules.o
	$$(call say,LD,$$@)
	$$(Q)$(2) -r -nostdlib -Wl,--force-group-allocation -o $$@ $$^
	$$(Q)$(or $(filter %objcopy,$(2:%gcc=%objcopy)),objcopy) --wildcard \
		--keep-global-symbol='ishare_*' $$(rule_symbols) $$@

$(1)/libishare.a: $(1)/libishare.o
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcsD $$@ $$<

# The program uses more of the layers than the library exports.
$(1)/erofs-ishare: $$(CMD:%.c=$(1)/%.o) $$(CORE:%.c=$(1)/%.o) $$(LIB:%.c=$(1)/%.o) $(1)/rules.o
	$$(call say,LD,$$@)
	$$(Q)$$($(1)_link) -pthread -o $$@ $$^ $(6)

# So do the tests of a reader's windows and of arrays that grow.
$(1)/tests/unit/window_test $(1)/tests/unit/array_test: \
	$$(CORE:%.c=$(1)/%.o) $$(LIB:%.c=$(1)/%.o) $(1)/rules.o
$$(patsubst %.c,$(1)/%,$$(filter-out %/window_test.c %/array_test.c,$$(UNIT))): $(1)/libishare.a
$$(UNIT:%.c=$(1)/%): %: %.o
	$$(call say,LD,$$@)
	$$(Q)$$($(1)_link) -pthread -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) \
		-lcmocka $(6)

-include $$(patsubst %.c,$(1)/%.d,$$(CORE) $$(LIB) $$(CMD) $$(UNIT))
endef

# $(call foreign_variant,ARCHITECTURE,COMPILER'S PREFIX,LIBRARIES' DIRECTORY,DYNAMIC LINKER)
# The architecture has Debian's name. libc comes with the cross compiler, the other libraries from
# packages unpacked below build/sysroot.
foreign_variant = $(call variant,build/$(1),$(2)-gcc,$(TRAP),\
	-isystem build/sysroot/$(1)/usr/include -isystem build/sysroot/$(1)/usr/include/$(3),\
	-Wl$$(,)--dynamic-linker=/usr/$(2)/lib/$(4) \
	-Wl$$(,)-rpath=/usr/$(2)/lib:$(here)/build/sysroot/$(1)/usr/lib/$(3),\
	-Lbuild/sysroot/$(1)/usr/lib/$(3) -ljansson -lcrypto,build/sysroot/$(1)/.stamp)
, := ,
here := $(subst $() ,\ ,$(CURDIR))

$(eval $(call variant,build,$$(CC),$$(HARDENING),$$(FORTIFY) \
	$$(host_cflags),$$(HARDENED_LINK),$$(host_libs),packages))
# Its programs also check that they call the core as its contracts require: see proofs/proofs.mk.
$(eval $(call variant,build/asan,$$(CC),$$(SANITIZE),\
	$$(host_cflags) -include build/requires/inline.h,@build/requires/contracts.options,\
	$$(host_libs),packages build/requires/.stamp))
$(eval $(call variant,build/lint-gcc,gcc,-Werror,$$(host_cflags),,$$(host_libs),packages))
$(eval $(call variant,build/lint-clang,clang,-Werror,$$(host_cflags),,$$(host_libs),packages))
$(eval $(call foreign_variant,i386,i686-linux-gnu,i386-linux-gnu,ld-linux.so.2))
$(eval $(call foreign_variant,s390x,s390x-linux-gnu,s390x-linux-gnu,ld64.so.1))

-include spec/spec.mk proofs/proofs.mk kernel/kernel.mk fuzz/image/image.mk \
	fuzz/campaign/campaign.mk fuzz/kernel/kernel.mk \
	$(wildcard tests/*.mk)

.PHONY: FORCE
FORCE:

# ---- Using it ----

.PHONY: demo test test-arch test-all
demo: ## use: Install missing packages, build, check real images and a broken one
demo: all build/spec/vectors/.stamp
	$(Q)tests/tools/demo

# Each test program gets the tool to run in its environment; by default it runs the sanitized one.
PROVE := tests/tools/run-tests
UNIT_ASAN = $(UNIT:%.c=build/asan/%)

needs_test := deps-test
test: test-programs ## test: Install missing packages, build, run the tests of erofs-ishare
	$(Q)$(PROVE) --parallel $(UNIT:%.c=build/%) $(UNIT_ASAN) \
		$(filter-out tests/arch.t,$(wildcard tests/*.t spec/tests/*.t proofs/*.t))

.PHONY: test-programs
test-programs: all build/asan/erofs-ishare $(UNIT:%.c=build/%) $(UNIT_ASAN)

ARCHES := i386 s390x
needs_test-arch := deps-arch
test-arch: ## test: Run the tests as a 32-bit and as a big-endian program
test-arch: all build/spec/vectors/.stamp build/spec/sweep/.stamp \
		$(foreach a,$(ARCHES),build/$(a)/erofs-ishare $(UNIT:%.c=build/$(a)/%))
	$(Q)$(PROVE) tests/arch.t

needs_test-all := deps-all
test-all: ## test: Run every test, without samples; resumes; writes build/record.json
test-all: | packages
	$(Q)SAMPLE=FULL tests/tools/stages --all --keep-going --resume --record build/record.json

build/sysroot/%/.stamp: tests/tools/foreign-packages | packages
	$(call say,FETCH,$(@D))
	$(Q)tests/tools/foreign-packages $* $(@D) libjansson-dev libjansson4 libssl-dev libssl3 \
		libxxhash-dev libcmocka-dev libcmocka0
	$(Q)touch $@

# ---- Installing ----

PREFIX := /usr/local
DESTDIR :=
BINDIR := $(PREFIX)/bin
LIBDIR := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR := $(PREFIX)/share/man
COMPLETIONDIR := $(PREFIX)/share/bash-completion/completions
HEADERS = $(wildcard ref/core/*.h) ref/ishare.h \
	$(addprefix build/spec/,layout.h spec.acsl.h codec.h rules.h)

build/libishare.pc: ref/libishare.pc.in FORCE | packages
	@sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' $< >$@

.PHONY: install uninstall
install: ## build: Install program, manual, completion, library and headers (PREFIX=, DESTDIR=)
install: all build/libishare.pc
	install -D build/erofs-ishare $(DESTDIR)$(BINDIR)/erofs-ishare
	install -D -m 644 ref/cmd/erofs-ishare.1 $(DESTDIR)$(MANDIR)/man1/erofs-ishare.1
	install -D -m 644 ref/cmd/erofs-ishare.bash $(DESTDIR)$(COMPLETIONDIR)/erofs-ishare
	install -D -m 644 build/libishare.a $(DESTDIR)$(LIBDIR)/libishare.a
	install -D -m 644 build/libishare.pc $(DESTDIR)$(LIBDIR)/pkgconfig/libishare.pc
	install -D -m 644 -t $(DESTDIR)$(INCLUDEDIR)/ishare $(HEADERS)

uninstall: ## build: Remove what install installed
	rm -f $(DESTDIR)$(BINDIR)/erofs-ishare $(DESTDIR)$(MANDIR)/man1/erofs-ishare.1 \
		$(DESTDIR)$(COMPLETIONDIR)/erofs-ishare $(DESTDIR)$(LIBDIR)/libishare.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/libishare.pc
	rm -rf $(DESTDIR)$(INCLUDEDIR)/ishare

.PHONY: dist
dist: ## build: Make build/erofs-ishare-VERSION.tar.gz, the same bytes anywhere
	$(Q)tests/tools/make-dist $(VERSION)

# ---- Keeping it tidy ----

.PHONY: format lint clean help
format: ## update: Format the C sources with clang-format
	$(Q)clang-format -i $$(tests/tools/list-files '*.[ch]')

needs_lint := deps-test
lint: | packages ## test: Check warnings, formatting, licences and stray files (part of test)
	$(Q)$(PROVE) tests/lint.t

clean: ## build: Remove build/
	$(Q)rm -rf build

help: ## use: List the targets
	@tests/tools/list-targets $(MAKEFILE_LIST)
