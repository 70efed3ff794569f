# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Fuzzing Linux in User-Mode Linux: see fuzz/kernel/README.md.

KERNEL_FUZZ_GUESTS := fuzz/kernel/guests/fuzz fuzz/kernel/guests/fuzz-kasan
KERNEL_FUZZ_PLANTED := $(wildcard fuzz/planted/kernel/fuzz-*)
KERNEL_FUZZ_PROGRAMS := $(addprefix build/fuzz/kernel/,launcher drive)

.PHONY: fuzzers-kernel test-fuzz-kernel fuzzers-kernel-planted fuzz-kernel-programs
needs_fuzzers-kernel := deps-fuzz
fuzzers-kernel: ## build: Build the fuzzers of the kernel: guests, launcher, seeds
fuzzers-kernel: fuzz-kernel-programs
	$(Q)kernel/uml/build-guest $(KERNEL_FUZZ_GUESTS)

needs_test-fuzz-kernel := deps-fuzz
test-fuzz-kernel: $(if $(filter fuzz,$(turns)),fuzzers-kernel-planted)
test-fuzz-kernel: ## test: Test the fuzzer of the kernel in its guests
	$(Q)$(if $(filter fuzz,$(turns)),$(PROVE) fuzz/kernel/kernel.t,\
		echo "not run: the fuzzer of the kernel, whose turn it is not")

needs_fuzzers-kernel-planted := deps-fuzz
fuzzers-kernel-planted: fuzz-kernel-programs
	$(Q)kernel/uml/build-guest fuzz/kernel/guests/fuzz $(KERNEL_FUZZ_PLANTED)

fuzz-kernel-programs: kernel-inputs $(KERNEL_FUZZ_PROGRAMS) build/fuzz/kernel/mutator.so \
		build/fuzz/kernel/seeds/.stamp

build/fuzz/kernel/%: fuzz/kernel/%.c fuzz/kernel/share_memory.h fuzz/kernel/shared.h | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $<

build/fuzz/kernel/seeds/.stamp: fuzz/kernel/make-seeds fuzz/kernel/input.h \
		$(wildcard spec/base/*.erofs tests/images/*.erofs) | packages
	$(call say,SEEDS,$(@D))
	$(Q)rm -rf $(@D) $(@D)-bare && $< $(@D) && $< $(@D)-bare --bare && touch $@

build/fuzz/kernel/mutator.so: fuzz/kernel/mutator.c fuzz/kernel/input.h fuzz/kernel/share_memory.h \
		fuzz/kernel/shared.h fuzz/mutator/afl.h fuzz/mutator/mutate.h \
		build/fuzz/so/fuzz/mutator/mutate.o $(CORE:%.c=build/fuzz/so/%.o) \
		build/fuzz/so/rules.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -fPIC -fvisibility=hidden -shared \
		$(INCLUDES) -Ifuzz/mutator -Ifuzz/kernel -o $@ \
		$(filter %.c %.o,$^)
