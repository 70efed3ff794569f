# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The images of the field sweep, and the table of what is said of them.

build/spec/sweep/.stamp: build/spec/vectors/.stamp
	$(call say,SPECC,$(@D))
	$(Q)rm -rf $(@D)
	$(Q)$(SPECC) --sweep $(@D) $(SPEC_CHAPTERS)
	$(Q)touch $@

test-programs: build/spec/vectors/.stamp build/spec/sweep/.stamp

.PHONY: sweep-update
sweep-update: test-programs ## Write tests/sweep.tsv anew; read the difference before it is committed
	$(Q)tests/vectors.t --update
