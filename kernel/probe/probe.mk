# SPDX-License-Identifier: GPL-2.0-or-later
#
# The probe: PID 1 of the guests that observe page cache sharing from user space, and the images that it mounts.

PROBE := $(wildcard kernel/probe/*.c)
PROBE_FLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -static -MMD -MP

build/kernel/probe/%.o: kernel/probe/%.c kernel/probe/probe.mk
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARNINGS) -O2 -g $(PROBE_FLAGS) -c -o $@ $<

build/kernel/probe/probe: $(PROBE:kernel/%.c=build/kernel/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $^

# Made anew when what they hold changes, not with every change of the probe.
build/kernel/probe/images/.stamp: kernel/probe/make-images kernel/probe/files.c kernel/probe/content.c \
		| build/kernel/probe/probe
	$(Q)tests/tools/build-erofs-utils
	$(call say,IMAGES,$(@D))
	$(Q)kernel/probe/make-images build/kernel/probe/probe $(@D)
	$(Q)touch $@

-include $(PROBE:kernel/%.c=build/kernel/%.d)

guest-programs: build/kernel/probe/probe
