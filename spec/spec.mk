# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# From the specification: headers, rule table and dictionary (build/spec/.stamp), vectors
# (build/spec/vectors/.stamp), and all of it on one page (build/spec/spec.html).
# Chapters come in the order of their names.

SPEC_CHAPTERS := $(sort $(wildcard spec/[0-9][0-9]-*.md))
SPEC_TOOLS := $(wildcard spec/specc/*.py)
SPEC_BASES := $(wildcard spec/base/*.erofs)
SPEC_C := $(addprefix build/spec/,layout.h spec.acsl.h rules.h rules.c erofs.dict)
SPECC := spec/specc/specc.py

build/spec/.stamp: $(SPEC_CHAPTERS) $(SPEC_TOOLS)
	$(SPECC) --out build/spec --parts c $(SPEC_CHAPTERS)
	@touch $@

$(SPEC_C): build/spec/.stamp ;

build/spec/vectors/.stamp: $(SPEC_CHAPTERS) $(SPEC_TOOLS) $(SPEC_BASES)
	$(SPECC) --out build/spec --parts vectors $(SPEC_CHAPTERS)
	@touch $@

build/spec/spec.html: $(SPEC_CHAPTERS) $(SPEC_TOOLS) $(wildcard ref/core/*.[ch])
	$(SPECC) --out build/spec --parts html --core ref/core $(SPEC_CHAPTERS)
	@touch $@

## the written specification on one page, its vectors and all that is generated from it
spec: build/spec/.stamp build/spec/vectors/.stamp build/spec/spec.html

.PHONY: spec
