# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel under test: kernel/README.md says what there is. KDIR=/path/to/linux takes the source from there instead
# of from Debian's package. kernel/*/*.mk add prerequisites to kernel-test-programs, and programs that speak TAP to
# KERNEL_TESTS.

DEPS_KERNEL := gcc libc6-dev make flex bison bc tar xz-utils dpkg apt debian-archive-keyring python3 perl git
GUESTS := plain debug strict
KERNEL_TESTS := tests/kernel.t

-include $(wildcard kernel/*/*.mk)

.PHONY: kernel kernel-test kernel-test-programs deps-kernel
deps-kernel:
	$(Q)tests/tools/need-packages $(DEPS_KERNEL)

kernel: ## Build the kernels under test as User-Mode Linux guests (KDIR=/path/to/linux: not from Debian's package)
	$(Q)$(MAKE) --no-print-directory deps-kernel
	$(Q)for guest in $(GUESTS); do KDIR='$(KDIR)' kernel/uml/build-guest $$guest || exit 1; done

kernel-test: ## Test the kernel in its guests, and the programs that run them
	$(Q)$(MAKE) --no-print-directory kernel
	$(Q)$(MAKE) --no-print-directory kernel-test-programs
	$(Q)$(PROVE) $(KERNEL_TESTS)

kernel-test-programs: build/kernel/tests/init

build/kernel/tests/init: tests/kernel/init.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 $(WARNINGS) -O2 -static -o $@ $<
