# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The proofs of the core: see proofs/README.md. Results are cached in build/proofs until something
# that they depend on changes. PROVE_OPTIONS is passed to proofs/prove: --fresh, for example, or
# "--machdep gcc_x86_64". ONLY is a file, or FILE:FUNCTION; for the mutants it is a function.

deps-proofs := $(deps) binutils frama-c-base why3 cvc5 git
PROVE_OPTIONS :=

.PHONY: test-proofs test-mutants report-proofs
needs_test-proofs := deps-proofs
test-proofs: build/spec/.stamp ## test: Prove the core against the specification, on all machines
	$(Q)proofs/prove $(PROVE_OPTIONS) $(if $(ONLY),$(subst :, --function ,$(ONLY)),$(sampled))

needs_test-mutants := deps-proofs
test-mutants: build/spec/.stamp ## test: Break the core in hundreds of ways; the proof must fail
	$(Q)proofs/mutants $(if $(ONLY),--function '$(ONLY)',$(sampled))

report-proofs: build/proofs/report.json build/spec/spec.html
report-proofs: ## report: Put the results of test-proofs into build/spec/spec.html
	@echo build/spec/spec.html

build/proofs/report.json: | packages
	@echo "no results of the proofs: run 'make test-proofs'" >&2; exit 1

# ---- Do callers keep the contracts? ----
#
# The linker redirects calls of the core's functions in the programs of build/asan to generated
# functions, which check the `requires` clauses first; macros redirect those of inline functions.
# A violation ends the program.

REQUIRES := requires/contracts.c proofs/requires.c
vpath requires/contracts.c build

build/requires/.stamp: proofs/make-requires proofs/translate.py proofs/acsl.py \
		$(wildcard ref/core/*.h) build/spec/.stamp
	$(call say,GEN,build/requires/contracts.c)
	$(Q)proofs/make-requires $(@D) $(wildcard ref/core/*.h) build/spec/codec.h
	$(Q)touch $@

build/requires/contracts.c: build/requires/.stamp
	@:

build/asan/requires/contracts.o: INCLUDES += -Iproofs
build/asan/erofs-ishare $(UNIT:%.c=build/asan/%) build/asan/fuzz/mutator/mutator_test \
	build/asan/proofs/violations: $(REQUIRES:%.c=build/asan/%.o)

# Calls the core against its contracts.
build/asan/proofs/violations: %: %.o $(CORE:%.c=build/asan/%.o)
	$(call say,LD,$@)
	$(Q)$(build/asan_link) -o $@ $^
test-programs: build/asan/proofs/violations

-include $(REQUIRES:%.c=build/asan/%.d) build/asan/proofs/violations.d
