# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# What the tests need beside the program: images, erofs-utils, a library that makes calls fail.

# The script has the list, because it works without make, too.
deps-images = $(deps) $(shell sed -n '/^readonly LIBRARIES="/,/"$$/{s/^readonly LIBRARIES=//;s/"//g;p}' \
	tests/tools/build-erofs-utils)

.PHONY: erofs-utils images sweep bench
needs_erofs-utils := deps-images
erofs-utils: | packages ## build: Provide erofs-utils 1.9 or newer in build/tools/bin
	$(Q)tests/tools/build-erofs-utils

needs_images := deps-images
images: erofs-utils ## update: Make the images in tests/images and spec/base anew (as root)
	$(Q)tests/tools/make-images tests/images/images.yaml spec/base/images.yaml

# The images of the field sweep.
build/spec/sweep/.stamp: build/spec/vectors/.stamp
	$(call say,SPECC,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(SPECC) --sweep $(@D) $(SPEC_CHAPTERS)
	$(Q)touch $@

sweep: test-programs ## update: Write tests/sweep.tsv anew; review the difference
	$(Q)tests/vectors.t --update

test-programs: build/spec/vectors/.stamp build/spec/sweep/.stamp
test-programs: $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null || :)),build/tests/faults/faults.so)

build/tests/faults/faults.so: tests/faults/faults.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARNINGS) $(HOSTED_FLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

needs_bench := deps-fuzz deps-images
bench: all erofs-utils $(patsubst %,build/fuzz/%/image,afl afl-asan libfuzzer libfuzzer-asan)
bench: ## use: Measure speed and memory beside fsck.erofs (BENCH_DIR, _RUNS, _INODES)
	$(Q)tests/bench
