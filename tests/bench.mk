# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# How fast the program is, beside fsck.erofs: tests/bench says what it measures and which variables it takes.

DEPS_BENCH := $(DEPS_IMAGES) gcc libssl-dev afl++ clang

.PHONY: bench
bench: ## use: Measure speed and memory beside fsck.erofs (BENCH_DIR, _RUNS, _INODES)
	$(Q)tests/tools/need-packages $(DEPS_BUILD) $(DEPS_SPEC) $(DEPS_BENCH)
	$(Q)$(MAKE) --no-print-directory all erofs-utils $(patsubst %,build/fuzz/%/image,afl afl-asan libfuzzer libfuzzer-asan)
	$(Q)tests/bench
