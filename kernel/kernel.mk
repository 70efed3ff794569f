# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel under test: kernel/README.md says what there is. KDIR=/path/to/linux takes the source from there instead
# of from Debian's package. kernel/*/*.mk may add prerequisites to kernel-test-programs.

DEPS_KERNEL := gcc libc6-dev make flex bison bc tar xz-utils dpkg apt debian-archive-keyring python3 python3-yaml perl git
GUESTS := plain debug strict

# Programs that speak TAP, and the parts of the tree that they test.
KERNEL_TESTS := tests/kernel.t
KERNEL_TESTS += $(if $(wildcard kernel/kunit/Makefile),kernel/uml/kunit.t)
KERNEL_TESTS += $(wildcard kernel/probe/run-probe)
KERNEL_MISSING := $(filter-out $(patsubst %/,%,$(wildcard kernel/*/)),kernel/kunit kernel/probe)

-include $(wildcard kernel/*/*.mk)

.PHONY: kernel kernel-test kernel-test-programs deps-kernel
deps-kernel:
	$(Q)tests/tools/need-packages $(DEPS_KERNEL)

kernel: ## Build the kernels under test as User-Mode Linux guests (KDIR=/path/to/linux: not from Debian's package)
	$(Q)$(MAKE) --no-print-directory deps-kernel
	$(Q)$(MAKE) --no-print-directory kernel-inputs
	$(Q)for guest in $(GUESTS); do KDIR='$(KDIR)' kernel/uml/build-guest $$guest || exit 1; done

# For kernel/kunit/prepare.
.PHONY: kernel-inputs
kernel-inputs: build/spec/.stamp build/spec/vectors/.stamp
	@:

kernel-test: ## Test the kernel in its guests, and the programs that run them
	$(Q)$(MAKE) --no-print-directory kernel
	$(Q)$(MAKE) --no-print-directory kernel-test-programs
	$(Q)for part in $(KERNEL_MISSING); do echo "not tested: there is no $$part"; done
	$(Q)$(PROVE) $(KERNEL_TESTS)

kernel-test-programs: build/kernel/tests/init $(if $(wildcard kernel/probe/run-probe),build/kernel/probe/images/.stamp)
	@:

build/kernel/tests/init: tests/kernel/init.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 $(WARNINGS) -O2 -static -o $@ $<
