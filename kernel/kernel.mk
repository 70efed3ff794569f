# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel under test: see kernel/README.md. KDIR=/path/to/linux uses that source instead of
# Debian's package.

# build-guest and get-source run without make, too, and use what Debian's package needs.
deps-kernel = $(deps-images) flex bison bc tar xz-utils patch dpkg apt debian-archive-keyring perl \
	git coccinelle sparse chromium

# In a sample, the guests debug and strict and those of the kernel's fuzzer take turns.
turns = $(eval turns := $(whose_turn))$(turns)
whose_turn = $(if $(sampled),$(drawn_turns),debug fuzz)
drawn_turns = $(shell SAMPLE='$(SAMPLE)' tests/tools/turns)$(if $(filter-out 0,$(.SHELLSTATUS)),\
	$(error tests/tools/turns failed))
GUESTS = plain $(if $(filter debug,$(turns)),debug strict)
STATIC_PROGRAM = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static

.PHONY: guests guest-plain guest-programs kernel-inputs
needs_guests := deps-kernel
guests: kernel-inputs ## build: Build the kernels under test (KDIR=/path/to/linux: your own)
	$(Q)kernel/uml/build-guest $(GUESTS:%=kernel/uml/guests/%)

needs_guest-plain := deps-kernel
guest-plain: kernel-inputs
	$(Q)kernel/uml/build-guest kernel/uml/guests/plain

# For the programs "prepare" of kernel/oracle and kernel/kunit.
kernel-inputs: build/spec/.stamp build/spec/vectors/.stamp

# ---- Tests in guests ----

.PHONY: test-kernel test-findings test-static
needs_test-kernel := deps-kernel
test-kernel: ## test: Test the kernel in its guests: KUnit, probe, and what runs them
test-kernel: guests guest-programs
	$(Q)$(PROVE) --parallel $(wildcard kernel/uml/*.t) proofs/tree.t kernel/probe/run-probe

# try-fix takes the names of findings.
needs_test-findings := deps-kernel
test-findings: guests guest-programs erofs-utils build/findings/look build/findings/steps
test-findings: ## test: Build a kernel with each finding's patch; its reproducer must pass
	$(Q)kernel/findings/try-fix $(ONLY)

# The kernel is configured for this, in build/kernel/static, but not built.
needs_test-static := deps-kernel
test-static: kernel-inputs ## test: Check fs/erofs and kernel/ with Coccinelle and sparse (KDIR=)
	$(Q)kernel/uml/get-source
	$(Q)$(PROVE) kernel/cocci/static.t

needs_guest-programs := deps-kernel
guest-programs: $(addprefix build/kernel/tests/,init prisoner escape) build/kernel/probe/probe \
	build/kernel/probe/images/.stamp

build/kernel/tests/%: kernel/uml/tests/%.c kernel/uml/tests/attempts.h | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(STATIC_PROGRAM) -o $@ $<

build/findings/look build/findings/steps: build/findings/%: kernel/findings/%.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(STATIC_PROGRAM) -o $@ $<

# ---- The probe ----
#
# PID 1 of the guests that observe page cache sharing from user space, and the images that it
# mounts.

PROBE := $(wildcard kernel/probe/*.c)

build/kernel/probe/%.o: kernel/probe/%.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(STATIC_PROGRAM) -g -D_FILE_OFFSET_BITS=64 -MMD -MP -c -o $@ $<

build/kernel/probe/probe: $(PROBE:kernel/%.c=build/kernel/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $^

# Rebuilt when their contents change, not with every change of the probe.
build/kernel/probe/images/.stamp: kernel/probe/make-images kernel/probe/files.c \
		kernel/probe/content.c \
		| build/kernel/probe/probe erofs-utils
	$(call say,IMAGES,$(@D))
	$(Q)kernel/probe/make-images build/kernel/probe/probe $(@D)
	$(Q)touch $@

-include $(PROBE:kernel/%.c=build/kernel/%.d)

# ---- The matrix ----
#
# Every vector and image through erofs-ishare, the kernel, fsck.erofs and dump.erofs.

build/matrix/run-vectors: kernel/matrix/run-vectors.c | packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(STATIC_PROGRAM) -o $@ $<

.PHONY: report-matrix matrix-inputs test-matrix
needs_report-matrix := deps-kernel
report-matrix: matrix-inputs erofs-utils guest-plain
report-matrix: ## report: Kernel and erofs-utils against every vector: build/matrix.html (SWEEP=no)
	$(if $(filter-out yes no,$(SWEEP)),$(error SWEEP=$(SWEEP): it can be yes or no))
	$(Q)kernel/matrix/matrix.py $(if $(filter no,$(SWEEP)),--no-sweep,$(sampled))

matrix-inputs: all build/spec/vectors/.stamp build/spec/spec.html build/matrix/run-vectors \
	$(if $(filter no,$(SWEEP)),,build/spec/sweep/.stamp)

needs_test-matrix := deps-kernel
test-matrix: $(if $(ONLY),matrix-inputs,report-matrix)
test-matrix: ## test: Run the vectors on kernel and erofs-utils; test the matrix's programs
	$(Q)$(PROVE) --parallel kernel/matrix/*.t
