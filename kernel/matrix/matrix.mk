# SPDX-License-Identifier: GPL-2.0-or-later
#
# The matrix: every vector and image through erofs-ishare, the kernel, fsck.erofs and dump.erofs.

DEPS_MATRIX := gcc libc6-dev make python3 python3-yaml python3-markdown-it chromium

build/matrix/run-vectors: kernel/matrix/run-vectors.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $<

.PHONY: report-matrix matrix-inputs test-matrix
report-matrix: ## report: Kernel and erofs-utils against every vector: build/matrix.html (SWEEP=no)
	$(if $(filter-out yes no,$(SWEEP)),$(error SWEEP=$(SWEEP): it can be yes or no))
	$(Q)tests/tools/need-packages $(DEPS_BUILD) $(DEPS_KERNEL) $(DEPS_MATRIX)
	$(Q)$(MAKE) --no-print-directory matrix-inputs erofs-utils
	$(Q)KDIR='$(KDIR)' kernel/uml/build-guest kernel/uml/guests/plain
	$(Q)kernel/matrix/matrix.py $(if $(filter no,$(SWEEP)),--no-sweep)

matrix-inputs: all build/spec/vectors/.stamp build/spec/spec.html build/matrix/run-vectors $(if $(filter no,$(SWEEP)),,build/spec/sweep/.stamp)

test-matrix: report-matrix ## test: Try the vectors on kernel and erofs-utils, and test what does so
	$(Q)tests/tools/need-packages $(DEPS_BUILD) $(DEPS_MATRIX)
	$(Q)$(MAKE) --no-print-directory matrix-inputs SWEEP=no
	$(Q)$(PROVE) kernel/matrix/*.t
