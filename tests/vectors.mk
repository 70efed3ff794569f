# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The images of the field sweep, and the table of what is said of them.

build/spec/sweep/.stamp: build/spec/vectors/.stamp
	$(call say,SPECC,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(SPECC) --sweep $(@D) $(SPEC_CHAPTERS)
	$(Q)touch $@

test-programs: build/spec/vectors/.stamp build/spec/sweep/.stamp

.PHONY: sweep
sweep: test-programs ## update: Write tests/sweep.tsv anew; review the difference
	$(Q)tests/vectors.t --update
