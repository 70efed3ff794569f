# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The proofs of the core: proofs/README.md says what is proved, and how. Results are kept below build/proofs and looked
# up there as long as nothing changes that they depend on. PROVE_OPTIONS goes to proofs/prove: --fresh, say, or
# "--machdep gcc_x86_64".

DEPS_PROVE := gcc binutils frama-c-base why3 cvc5 git python3
PROVE_OPTIONS :=

.PHONY: prove prove-mutants
prove: build/spec/.stamp ## Prove the core against the specification, for all machines, and look for contradictions
	$(Q)$(MAKE) --no-print-directory deps-prove
	$(Q)proofs/prove $(PROVE_OPTIONS)

prove-mutants: build/spec/.stamp ## Break the core in hundreds of ways; the proof must notice (SAMPLE=20: only so many)
	$(Q)$(MAKE) --no-print-directory deps-prove
	$(Q)proofs/mutants $(if $(SAMPLE),--sample $(SAMPLE))
