# SPDX-License-Identifier: GPL-2.0-or-later
#
# What shows findings in a guest: kernel/findings/guest.sh.

build/findings/look build/findings/steps: build/findings/%: kernel/findings/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -static -o $@ $<
