# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel's code as it is read, not run: Coccinelle with rules from the specification, and sparse. The kernel is
# configured for this, in build/kernel/static, but not built.

DEPS_KERNEL_STATIC := coccinelle sparse

.PHONY: test-static
test-static: ## test: Read fs/erofs and kernel/ with Coccinelle and sparse (KDIR=)
	$(Q)tests/tools/need-packages $(DEPS_KERNEL) $(DEPS_KERNEL_STATIC)
	$(Q)$(MAKE) --no-print-directory kernel-inputs
	$(Q)KDIR='$(KDIR)' kernel/uml/get-source
	$(Q)$(PROVE) kernel/cocci/static.t
