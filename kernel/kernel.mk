# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel under test: kernel/README.md says what there is. KDIR=/path/to/linux takes the source from there instead
# of from Debian's package. kernel/*/*.mk may add prerequisites to guest-programs.

DEPS_KERNEL := gcc libc6-dev make flex bison bc tar xz-utils patch dpkg apt debian-archive-keyring perl git $(DEPS_SPEC)
GUESTS := plain debug strict

# Programs that speak TAP.
KERNEL_TESTS := tests/kernel.t tests/kernel/locked.t kernel/uml/kunit.t kernel/probe/run-probe

-include $(wildcard kernel/*/*.mk)

# The packages are in the script, which works without make, too.
DEPS_EROFS_UTILS = $(shell sed -n '/^readonly LIBRARIES="/,/"$$/{s/^readonly LIBRARIES=//;s/"//g;p}' tests/tools/build-erofs-utils)

.PHONY: guests test-kernel guest-programs test-findings deps-kernel
deps-kernel: ## packages: Install what guests, test-kernel, -static, -matrix, -findings need
	$(Q)tests/tools/need-packages $(sort $(DEPS_BUILD) $(DEPS_KERNEL) $(DEPS_KERNEL_STATIC) $(DEPS_MATRIX) $(DEPS_EROFS_UTILS))

guests: ## build: Build the kernels under test (KDIR=/path/to/linux: your own)
	$(Q)tests/tools/need-packages $(DEPS_KERNEL)
	$(Q)$(MAKE) --no-print-directory kernel-inputs
	$(Q)KDIR='$(KDIR)' kernel/uml/build-guest $(GUESTS:%=kernel/uml/guests/%)

# For the programs "prepare" of kernel/oracle and kernel/kunit.
.PHONY: kernel-inputs
kernel-inputs: build/spec/.stamp build/spec/vectors/.stamp
	@:

test-kernel: ## test: Test the kernel in its guests: KUnit, probe, and what runs them
	$(Q)$(MAKE) --no-print-directory guests
	$(Q)$(MAKE) --no-print-directory guest-programs
	$(Q)$(PROVE) $(KERNEL_TESTS)

test-findings: ## test: Build a kernel with each finding's patch; its reproducer must pass
	$(Q)$(MAKE) --no-print-directory guests
	$(Q)$(MAKE) --no-print-directory guest-programs erofs-utils
	$(Q)$(PROVE) kernel/findings/try-fix

guest-programs: $(addprefix build/kernel/tests/,init prisoner escape) build/kernel/probe/images/.stamp
	@:

build/kernel/tests/%: tests/kernel/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $<
