# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The promise of exit status 0, tried on sets of images that are drawn at random: tests/promise/README.md.

DEPS_PROMISE := $(DEPS_BUILD) $(DEPS_SPEC)
PROMISE := $(addprefix tests/promise/,random.c contents.c devices.c layout.c names.c image.c draw.c judge.c)

build/tests/promise/%.o: INCLUDES += -Ifuzz/mutator
build/fuzz/mutator/mutate.o: INCLUDES += -Ifuzz/mutator

build/promise/judge: $(PROMISE:%.c=build/%.o) build/fuzz/mutator/mutate.o build/libishare.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(build_link) -o $@ $^ $(host_libs)

build/promise/guest: tests/promise/guest.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $<

-include $(PROMISE:%.c=build/%.d) build/fuzz/mutator/mutate.d

# SETS: how many; SEED: of all chance.
SETS := 100000
SEED := 1

.PHONY: test-promise promise-programs
promise-programs: all build/promise/judge build/promise/guest

test-promise: ## test: Try to refute status 0 with random images, in guests (SETS=100000, SEED=1)
	$(Q)tests/tools/need-packages $(DEPS_PROMISE) $(DEPS_KERNEL)
	$(Q)$(MAKE) --no-print-directory kernel-inputs promise-programs
	$(Q)KDIR='$(KDIR)' kernel/uml/build-guest kernel/uml/guests/plain
	$(Q)tests/promise/promise --sets $(SETS) --seed $(SEED)
