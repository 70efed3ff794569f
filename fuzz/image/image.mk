# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Fuzzing the reference parser: see fuzz/image/README.md. The harness is one program in several
# variants:
#
#	build/fuzz/afl/image		for AFL++: fast
#	build/fuzz/afl-asan/image	for AFL++: with the sanitizers of addresses and of undefined
#					behaviour
#	build/fuzz/afl-cmplog/image	for AFL++: logs comparisons (afl-fuzz -c)
#	build/fuzz/libfuzzer/image	for libFuzzer, with the sanitizers
#	build/fuzz/plain/image		for libFuzzer, without
#	build/fuzz/mutator.so		AFL_CUSTOM_MUTATOR_LIBRARY
#
# Each also runs the files on its command line.

deps-fuzz = $(deps-kernel) afl++ clang libclang-rt-dev util-linux llvm binutils python3-matplotlib \
	libcmocka-dev rsync zip

FUZZ_IMAGE := $(addprefix fuzz/image/,image.c broken.c formats.c input.c measure.c) \
	fuzz/answers.c fuzz/fields.c
vpath fuzz/answers.c build
vpath fuzz/fields.c build
FUZZ_MUTATOR := fuzz/mutator/mutator.c fuzz/mutator/mutate.c
FUZZ_REPORTS := $(addprefix ref/cmd/,$(addsuffix .c,writer groups report_text report_json \
	report_sarif report_tap json escape hexdump output text words images reasons))
FUZZ_AFL := fuzz/image/forkserver.c fuzz/image/arguments.c
FUZZ_SOURCES := $(FUZZ_IMAGE) $(CORE) $(LIB) $(FUZZ_REPORTS)
# Calls of these are redirected to fuzz/image/measure.c; calls of core's rules to
# build/fuzz/answers.c, and of its decoders to build/fuzz/fields.c.
FUZZ_WRAPPED := malloc calloc realloc free space_view reader_release file_space hash_seed \
	ishare_crc32c
FUZZ_LINK := $(addprefix -Wl$(,)--wrap=,$(FUZZ_WRAPPED)) @build/fuzz/answers.options \
	@build/fuzz/fields.options
# Files whose coverage is meaningless: a domain's many empty buckets, for example, would dominate
# it.
FUZZ_UNCOVERED := $(FUZZ_IMAGE) $(FUZZ_AFL) $(FUZZ_REPORTS) ref/image/hash.c ref/domain/domain.c \
	ref/core/crc32c.c ref/core/xxh32.c
FUZZ_COUNT := -finstrument-function-entry-bare
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_VARIANTS := afl afl-asan afl-cmplog libfuzzer plain
# In these, every call of the core is checked against its contract: see proofs/proofs.mk.
FUZZ_CHECKED := afl-asan libfuzzer

build/fuzz/answers.c: fuzz/image/make-answers build/spec/.stamp $(wildcard ref/core/*.h)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)fuzz/image/make-answers $@ build/fuzz/answers.options $(wildcard ref/core/*.h)

build/fuzz/fields.c: fuzz/image/make-fields build/spec/.stamp $(wildcard ref/core/*.h)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)fuzz/image/make-fields build/spec/layout.h $@ build/fuzz/fields.options \
		build/spec/codec.h $(wildcard ref/core/*.h)

# The objects of a variant, and its linker flags. The AFL++ variants have their own fork server.
fuzz_objects = $(FUZZ_SOURCES:%.c=build/fuzz/$(1)/%.o) \
	$(if $(filter afl%,$(1)),$(FUZZ_AFL:%.c=build/fuzz/$(1)/%.o)) \
	$(if $(filter $(1),$(FUZZ_CHECKED)),$(REQUIRES:%.c=build/fuzz/$(1)/%.o)) \
	build/fuzz/$(1)/rules.o build/fuzz/second.o
fuzz_link = -fsanitize=fuzzer $(FUZZ_LINK) \
	$(if $(filter $(1),$(FUZZ_CHECKED)),@build/requires/contracts.options) \
	$(if $(filter afl%,$(1)),-Wl$(,)--wrap=fork -Wl$(,)--wrap=raise) -pthread

# The copy of libishare for the second check: that of the program, under other names. It uses the
# harness's hashes and its superblock checksum, which is slow to compute.
build/fuzz/second.o: $(patsubst %.c,build/%.o,$(filter-out ref/image/hash.c \
		ref/core/crc32c.c,$(CORE) $(LIB))) build/rules.o
	@mkdir -p $(@D)
	$(Q)ld -r -o $@.new $^
	$(Q)nm --defined-only --extern-only $@.new | sed -n 's/.* \(.*\)/\1 true_\1/p' >$@.names
	$(Q)objcopy --redefine-syms=$@.names $@.new $@

# $(call fuzz_variant,NAME,COMPILER,FLAGS,FLAGS FOR COVERAGE)
# Only core and libishare are instrumented: FUZZ_PLAIN is set for all other files.
define fuzz_variant
$(call variant,build/fuzz/$(1),$$(if $$(FUZZ_PLAIN),clang,$(2)),$(3) $$(if $$(FUZZ_PLAIN),,$(4) \
	$(FUZZ_COUNT)),\
	-Iref/cmd -Ifuzz/image -Ifuzz/mutator \
	$(if $(filter $(1),$(FUZZ_CHECKED)),-DCHECK_CONTRACTS -Iproofs) \
	$$(host_cflags),,$$(host_libs),packages)

$(patsubst %.c,build/fuzz/$(1)/%.o,$(FUZZ_UNCOVERED) $(REQUIRES)): private FUZZ_PLAIN := 1
build/fuzz/$(1)/image: $(call fuzz_objects,$(1))
	$$(call say,LD,$$@)
	$$(Q)$$(build/fuzz/$(1)_link) $$(call fuzz_link,$(1)) -o $$@ $$^ $$(host_libs)

-include $(patsubst %.c,build/fuzz/$(1)/%.d,$(FUZZ_SOURCES) $(FUZZ_AFL) $(REQUIRES))
endef

AFL_CC := AFL_QUIET=1 afl-clang-fast
$(eval $(call fuzz_variant,afl,$(AFL_CC),,))
$(eval $(call fuzz_variant,afl-asan,$(AFL_CC),$(FUZZ_SAN),))
$(eval $(call fuzz_variant,afl-cmplog,AFL_LLVM_CMPLOG=1 $(AFL_CC),,))
$(eval $(call fuzz_variant,libfuzzer,clang,$(FUZZ_SAN),-fsanitize=fuzzer-no-link))
$(eval $(call fuzz_variant,plain,clang,,-fsanitize=fuzzer-no-link))
# For tests/bench: built as erofs-utils builds its harness.
$(eval $(call fuzz_variant,libfuzzer-asan,clang,-fsanitize=address,-fsanitize=fuzzer-no-link))

# Harnesses with a defect: fuzz/planted/image/NAME.patch in core, and
# fuzz/image/broken/PROPERTY.patch, which breaks a property that the harness checks.

# $(call defect,VARIANT): the recipe. Compiles in a separate tree, except for generated files.
define defect
	$(call say,PATCH,$@)
	@mkdir -p $(@D)
	$(Q)COMPILE='$(subst -Ibuild/spec,-I$(here)/build/spec,$(build/fuzz/$(1)_cc)) $(HOSTED_FLAGS) -Iref/cmd $(host_cflags)' \
		LINK='$(build/fuzz/$(1)_link) $(call fuzz_link,$(1))' LIBRARIES='$(host_libs)' \
		fuzz/image/build-with-defect $< $@ $(call fuzz_objects,$(1))
endef

PLANTED := $(patsubst fuzz/planted/image/%.patch,%,$(wildcard fuzz/planted/image/*.patch))
PLANTED_VARIANTS := afl afl-asan
define planted_variant
build/fuzz/planted/%/$(1)/image: fuzz/planted/image/%.patch fuzz/image/build-with-defect \
		build/fuzz/$(1)/image
	$$(call defect,$(1))
endef
$(foreach v,$(PLANTED_VARIANTS),$(eval $(call planted_variant,$(v))))
FUZZ_PLANTED := $(foreach v,$(PLANTED_VARIANTS),$(PLANTED:%=build/fuzz/planted/%/$(v)/image))

# In a sample, one in three is tried: image.t chooses as this does.
BROKEN := $(patsubst fuzz/image/broken/%.patch,%,$(wildcard fuzz/image/broken/*.patch))
FUZZ_BROKEN := $(patsubst %,build/fuzz/broken/%/image,$(if $(sampled),\
	$(shell SAMPLE='$(SAMPLE)' tests/tools/sample 'broken harnesses' 3 $(BROKEN)),$(BROKEN)))
build/fuzz/broken/%/image: fuzz/image/broken/%.patch fuzz/image/build-with-defect \
		build/fuzz/plain/image
	$(call defect,plain)

# Contracts are checked in sanitized harnesses only.
build/fuzz/broken/contract/image: fuzz/image/broken/contract.patch fuzz/image/build-with-defect \
		build/fuzz/libfuzzer/image
	$(call defect,libfuzzer)

.PHONY: test-fuzz-planted fuzzers-image-planted test-fuzz
needs_test-fuzz-planted := deps-fuzz
test-fuzz-planted: ## test: AFL++ must find each defect planted in core within 5 minutes
test-fuzz-planted: fuzzers-image-planted
	$(Q)status=0; for name in $(or $(ONLY),$(PLANTED)); do fuzz/planted/try $$name \
		|| status=1; done; exit $$status

needs_test-fuzz := deps-fuzz
test-fuzz: fuzzers-image-planted $(FUZZ_BROKEN) build/fuzz/libfuzzer/image \
		build/asan/fuzz/mutator/mutator_test
test-fuzz: ## test: Test the harness for images, its mutator, campaigns and their report
	$(Q)$(PROVE) --parallel $(filter-out fuzz/kernel/%,$(wildcard fuzz/*/*.t))

needs_fuzzers-image-planted := deps-fuzz
fuzzers-image-planted: $(FUZZ_PLANTED) build/fuzz/mutator.so

# The mutator is a shared object of its own, for any target whose inputs hold images.
$(eval $(call variant,build/fuzz/so,$$(CC),-fPIC -fvisibility=hidden,-Ifuzz/mutator,,,packages))
build/fuzz/mutator.so: $(FUZZ_MUTATOR:%.c=build/fuzz/so/%.o) $(CORE:%.c=build/fuzz/so/%.o) \
		build/fuzz/so/rules.o
	$(call say,LD,$@)
	$(Q)$(CC) -shared -o $@ $^
-include $(patsubst %.c,build/fuzz/so/%.d,$(FUZZ_MUTATOR) $(CORE))

build/asan/fuzz/mutator/%.o: INCLUDES += -Ifuzz/mutator
build/asan/fuzz/mutator/mutator_test: %: %.o build/asan/fuzz/mutator/mutate.o \
		$(CORE:%.c=build/asan/%.o) build/asan/rules.o
	$(call say,LD,$@)
	$(Q)$(build/asan_link) -o $@ $^ -lcmocka
-include build/asan/fuzz/mutator/mutator_test.d build/asan/fuzz/mutator/mutate.d

.PHONY: fuzzers fuzzers-image corpus
needs_fuzzers := deps-fuzz
fuzzers: fuzzers-image fuzzers-kernel ## build: Build all fuzzers: fuzzers-image and fuzzers-kernel

needs_fuzzers-image := deps-fuzz
fuzzers-image: $(FUZZ_VARIANTS:%=build/fuzz/%/image) build/fuzz/mutator.so
fuzzers-image: ## build: Build the fuzzers of the reference parser, and their mutator

# FUZZ_QUEUES: directories of further inputs to choose from.
FUZZ_QUEUES :=
needs_corpus := deps-fuzz
corpus: $(if $(filter kernel,$(TARGET)),fuzzers-kernel,build/fuzz/afl/image \
		build/spec/vectors/.stamp)
corpus: ## update: Choose new seeds for fuzz/corpus (TARGET=, FUZZ_QUEUES=DIRECTORIES)
	$(Q)fuzz/$(or $(filter kernel,$(TARGET)),image)/refresh-corpus $(FUZZ_QUEUES)
