# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel under test: kernel/README.md says what there is. KDIR=/path/to/linux takes the source from there instead
# of from Debian's package.

DEPS_KERNEL := gcc libc6-dev make flex bison bc xz-utils tar apt dpkg debian-archive-keyring python3 perl

# Programs of these names exist as soon as their directory does.
GUESTS := plain debug strict

.PHONY: kernel kernel-test deps-kernel
deps-kernel:
	$(Q)tests/tools/need-packages $(DEPS_KERNEL)

kernel: ## Build the kernels under test, as User-Mode Linux guests (KDIR=: from this source directory)
	$(Q)$(MAKE) --no-print-directory deps-kernel
	$(Q)for guest in $(GUESTS); do KDIR='$(KDIR)' kernel/uml/build-guest $$guest || exit 1; done
