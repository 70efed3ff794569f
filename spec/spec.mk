# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Files generated from the specification: headers, rule table and dictionary (build/spec/.stamp),
# the vectors (build/spec/vectors/.stamp), and the specification on one page (build/spec/spec.html).
# Chapters are in the order of their names. There are three targets because the core needs the
# first, and the page needs the core.

SPECC := spec/compile
SPEC_CHAPTERS := $(sort $(wildcard spec/[0-9][0-9]-*.md))
SPEC_TOOLS := $(wildcard spec/specc/*.py)
SPEC_BASES := $(wildcard spec/base/*)
PROOF_REPORT := $(wildcard build/proofs/report.json)
FINDINGS := $(wildcard kernel/findings/*/README.md)
JUDGES := ref/check ref/domain
SPEC_C := $(addprefix build/spec/,layout.h spec.acsl.h codec.h codec.c rules.h rules.c erofs.dict)

.PHONY: spec report-rules
spec: ## build: Compile the specification: headers, vectors, build/spec/spec.html
spec: build/spec/.stamp build/spec/vectors/.stamp build/spec/spec.html

report-rules: | packages ## report: List what each rule needs (predicate, function, vectors) and has
	$(Q)$(SPECC) --obligations --core ref/core $(SPEC_CHAPTERS)

build/spec/.stamp: $(SPEC_CHAPTERS) $(SPEC_TOOLS) $(FINDINGS) | packages
	$(call say,SPECC,build/spec)
	$(Q)$(SPECC) --out build/spec --parts c --findings kernel/findings $(SPEC_CHAPTERS)
	@touch $@

$(SPEC_C): build/spec/.stamp ;

# Each rule has its function in the core, and a judge reports it. This is checked before anything
# is compiled, so that `make` names what a new rule still lacks.
build/spec/.complete: build/spec/.stamp $(wildcard ref/core/*.[ch] $(JUDGES:%=%/*.[ch])) | packages
	$(call say,CHECK,rules)
	$(Q)$(SPECC) --core ref/core $(JUDGES:%=--judges %) $(SPEC_CHAPTERS)
	@touch $@

build/spec/vectors/.stamp: $(SPEC_CHAPTERS) $(SPEC_TOOLS) $(SPEC_BASES) | packages
	$(call say,SPECC,build/spec/vectors)
	$(Q)$(SPECC) --out build/spec --parts vectors $(SPEC_CHAPTERS)
	@touch $@

# The page has a table of the proofs if `make test-proofs` has left a report.
build/spec/spec.html: $(SPEC_CHAPTERS) $(SPEC_TOOLS) $(wildcard ref/core/*.[ch]) $(PROOF_REPORT) \
		| packages
	$(call say,SPECC,$@)
	$(Q)$(SPECC) --out build/spec --parts html --core ref/core $(addprefix --proofs \
		,$(PROOF_REPORT)) $(SPEC_CHAPTERS)
	@touch $@
