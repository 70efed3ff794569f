# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Fuzzing Linux in User-Mode Linux: fuzz/kernel/README.md says what there is.

KERNEL_FUZZ_GUESTS := fuzz fuzz-kasan
KERNEL_FUZZ_PLANTED := $(patsubst fuzz/kernel/planted/%.patch,fuzz-%,$(wildcard fuzz/kernel/planted/*.patch))
KERNEL_FUZZ_PROGRAMS := $(addprefix build/fuzz/kernel/,launcher drive)

DEPS_FUZZ_KERNEL = afl++ patch $(DEPS_KERNEL)

.PHONY: fuzzers-kernel test-fuzz-kernel fuzzers-kernel-planted fuzz-kernel-programs
fuzzers-kernel: ## build: Build the fuzzers of the kernel: guests, launcher, seeds
	$(Q)$(MAKE) --no-print-directory kernel-inputs fuzz-kernel-programs build/fuzz/kernel/seeds/.stamp
	$(Q)for guest in $(KERNEL_FUZZ_GUESTS); do KDIR='$(KDIR)' kernel/uml/build-guest $$guest || exit 1; done

test-fuzz-kernel: ## test: Test the fuzzer of the kernel in its guests
	$(Q)tests/tools/need-packages $(DEPS_FUZZ_KERNEL)
	$(Q)$(MAKE) --no-print-directory fuzzers-kernel-planted
	$(Q)$(PROVE) tests/fuzz/kernel.t

fuzzers-kernel-planted:
	$(Q)$(MAKE) --no-print-directory kernel-inputs fuzz-kernel-programs build/fuzz/kernel/seeds/.stamp
	$(Q)for guest in fuzz $(KERNEL_FUZZ_PLANTED); do KDIR='$(KDIR)' kernel/uml/build-guest $$guest || exit 1; done

fuzz-kernel-programs: $(KERNEL_FUZZ_PROGRAMS) build/fuzz/kernel/mutator.so
	@:

build/fuzz/kernel/%: fuzz/kernel/%.c fuzz/kernel/share_memory.h fuzz/kernel/shared.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $<

build/fuzz/kernel/seeds/.stamp: fuzz/kernel/make-seeds fuzz/kernel/input.h $(wildcard spec/base/*.erofs tests/images/*.erofs)
	$(call say,SEEDS,$(@D))
	$(Q)rm -rf $(@D) $(@D)-bare && $< $(@D) && $< $(@D)-bare --bare && touch $@

build/fuzz/kernel/mutator.so: fuzz/kernel/mutator.c fuzz/kernel/input.h fuzz/kernel/share_memory.h fuzz/kernel/shared.h \
		fuzz/mutate.h build/fuzz/so/fuzz/mutate.o $(CORE:%.c=build/fuzz/so/%.o) build/fuzz/so/rules.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -fPIC -fvisibility=hidden -shared $(INCLUDES) -Ifuzz -Ifuzz/kernel -o $@ \
		$(filter %.c %.o,$^)
