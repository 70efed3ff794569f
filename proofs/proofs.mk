# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The proofs of the core: proofs/README.md says what is proved, and how. Results are kept below build/proofs and looked
# up there as long as nothing changes that they depend on. PROVE_OPTIONS goes to proofs/prove: --fresh, say, or
# "--machdep gcc_x86_64".

DEPS_PROOFS := gcc binutils frama-c-base why3 cvc5 git python3
PROVE_OPTIONS :=

.PHONY: test-proofs test-mutants report-proofs
test-proofs: build/spec/.stamp ## test: Prove the core against the specification, on all machines
	$(Q)$(MAKE) --no-print-directory deps-proofs
	$(Q)proofs/prove $(PROVE_OPTIONS)

test-mutants: build/spec/.stamp ## test: Break the core in hundreds of ways; the proof must fail (SAMPLE=20)
	$(Q)$(MAKE) --no-print-directory deps-proofs
	$(Q)proofs/mutants $(if $(SAMPLE),--sample $(SAMPLE))

report-proofs: ## report: Put the results of test-proofs into build/spec/spec.html
	$(Q)test -e build/proofs/report.json || { echo "no results of the proofs: run 'make test-proofs'" >&2; exit 1; }
	$(Q)$(MAKE) --no-print-directory build/spec/spec.html
