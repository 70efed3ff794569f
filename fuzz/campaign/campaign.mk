# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Fuzz campaigns, and the report of what they tried and found: fuzz/README.md. Variables for the
# command line:
#
#	TARGET		what to attack: fuzz/campaign/campaign.toml (for report-fuzz: this one
#			alone)
#	TIME		duration: 8h, 90m, 1d12h
#	JOBS		number of instances of afl-fuzz
#	DIR		the campaign's directory: build/fuzz/campaign/TARGET
#	HOST		prefix of the instances' names, if several machines work together

TIME := 8h
JOBS := $(shell nproc)

.PHONY: campaign report-fuzz
needs_campaign := deps-fuzz
campaign: | packages ## use: Fuzz with AFL++ (TARGET=image or kernel, TIME=8h, JOBS=N); resumes
	$(Q)fuzz/campaign/run-campaign '$(or $(TARGET),image)' --time '$(TIME)' --jobs '$(JOBS)' \
		$(if $(DIR),--dir '$(DIR)') $(if $(HOST),--host '$(HOST)')

needs_report-fuzz := deps-fuzz
report-fuzz: ## report: What the campaigns tried and found: build/fuzz/report.html (TARGET=)
report-fuzz: | packages
	$(Q)fuzz/report/make-report $(TARGET) $(if $(DIR),--dir '$(DIR)')

# The harness built for line coverage.
$(eval $(call fuzz_variant,coverage,clang,-fsanitize=fuzzer-no-link -fprofile-instr-generate \
	-fcoverage-mapping))

# As OSS-Fuzz builds it: fuzz/oss-fuzz/build.sh. The compiler flags select the sanitizer, the engine
# is a library, and shared libraries are not available at run time.
LIB_FUZZING_ENGINE := -fsanitize=fuzzer
$(eval $(call variant,build/fuzz/oss-fuzz,$$(CC),$(FUZZ_COUNT),-Iref/cmd -Ifuzz/image \
	-Ifuzz/mutator $$(host_cflags),,,packages))
build/fuzz/oss-fuzz/image_fuzzer: $(FUZZ_SOURCES:%.c=build/fuzz/oss-fuzz/%.o) \
		build/fuzz/oss-fuzz/rules.o build/fuzz/second.o
	$(call say,LD,$@)
	$(Q)$(CXX) $(CXXFLAGS) $(FUZZ_LINK) -pthread -o $@ $^ $(LIB_FUZZING_ENGINE) \
		-l:libjansson.a -l:libcrypto.a -ldl
-include $(FUZZ_SOURCES:%.c=build/fuzz/oss-fuzz/%.d)
