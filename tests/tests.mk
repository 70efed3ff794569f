# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# What the tests need besides the program: images, erofs-utils, a library that makes calls fail, and
# the programs that test the promise of exit status 0 on random images (tests/promise/README.md).

# The script has the list, because it works without make, too.
deps-images = $(deps) $(shell sed \
	-n '/^readonly LIBRARIES="/,/"$$/{s/^readonly LIBRARIES=//;s/"//g;p}' \
	tests/tools/build-erofs-utils)

.PHONY: erofs-utils images sweep bench
needs_erofs-utils := deps-images
erofs-utils: | packages ## build: Provide erofs-utils 1.9 or newer in build/tools/bin
	$(Q)tests/tools/build-erofs-utils

needs_images := deps-images
images: erofs-utils ## update: Rebuild the images in tests/images and spec/base (as root)
	$(Q)tests/tools/make-images tests/images/images.yaml spec/base/images.yaml

# The images of the field sweep.
build/spec/sweep/.stamp: build/spec/vectors/.stamp
	$(call say,SPECC,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(SPECC) --sweep $(@D) $(SPEC_CHAPTERS)
	$(Q)touch $@

sweep: test-programs ## update: Rewrite tests/sweep.tsv; review the difference
	$(Q)tests/vectors.t --update

test-programs: build/spec/vectors/.stamp build/spec/sweep/.stamp
# The library knows the system calls of x86-64.
machine := $(shell $(CC) -dumpmachine 2>/dev/null || :)
test-programs: $(if $(filter x86_64-%,$(machine)),build/tests/faults/faults.so)

build/tests/faults/faults.so: tests/faults/faults.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARNINGS) $(HOSTED_FLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

needs_bench := deps-fuzz deps-images
bench: all erofs-utils $(patsubst %,build/fuzz/%/image,afl afl-asan libfuzzer libfuzzer-asan)
bench: ## use: Measure speed and memory beside fsck.erofs (BENCH_DIR, _RUNS, _INODES)
	$(Q)tests/bench

# ---- The promise of exit status 0 ----

PROMISE := $(addprefix tests/promise/,random.c contents.c devices.c layout.c names.c image.c \
	draw.c judge.c)

build/tests/promise/%.o: INCLUDES += -Ifuzz/mutator
build/fuzz/mutator/mutate.o: INCLUDES += -Ifuzz/mutator

build/promise/judge: $(PROMISE:%.c=build/%.o) build/fuzz/mutator/mutate.o build/libishare.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(build_link) -o $@ $^ $(host_libs)

build/promise/guest: tests/promise/guest.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(STATIC_PROGRAM) -o $@ $<

-include $(PROMISE:%.c=build/%.d) build/fuzz/mutator/mutate.d

# SETS: the number of sets; SEED: of the random numbers. ONLY: the number of one set to replay and
# show.
SETS := 100000
SEED := 1

.PHONY: test-promise
needs_test-promise := deps-kernel
test-promise: all guest-plain build/promise/judge build/promise/guest
test-promise: ## test: Try to refute status 0 with random images, in guests (SETS=100000, SEED=1)
	$(Q)tests/promise/promise --seed $(SEED) $(if $(ONLY),--replay $(ONLY),--sets $(SETS))
