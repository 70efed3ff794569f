# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The library that makes calls fail in tests/faults.t.

test-programs: $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine 2>/dev/null || :)),build/tests/faults/faults.so)

build/tests/faults/faults.so: tests/faults/faults.c | have-packages
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARNINGS) $(HOSTED_FLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<
