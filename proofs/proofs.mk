# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The proofs of the core: proofs/prove says how, proofs/proved.list what. MACHDEP=gcc_x86_32 proves it for a 32-bit
# machine. Results are kept below build/proofs and looked up there as long as nothing changes that they depend on.

DEPS_PROVE := gcc binutils frama-c-base why3 cvc5 python3
MACHDEP := gcc_x86_64

.PHONY: prove
prove: build/spec/.stamp ## Prove the core against the specification (MACHDEP=gcc_x86_64 or gcc_x86_32)
	$(Q)$(MAKE) --no-print-directory deps-prove
	$(Q)proofs/prove --machdep $(MACHDEP)
