# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What each rule owes - predicate, function, vectors, kernel consequence - and has."""

import os
import re
from dataclasses import dataclass

from emit_c import kernel_words
from model import VECTOR_KINDS

HEADER = ("Rule", "Subject", "Severity", "Predicate", "Function", "Holds", "Fails", "Either",
          "Kernel")


@dataclass
class Row:
    """One rule's line of the table."""
    rule: object
    predicate: str
    function: str
    counts: list
    kernel: str

    def cells(self):
        """As text, in the order of HEADER."""
        return (self.rule.name, self.rule.subject, self.rule.severity, self.predicate,
                self.function, *map(str, self.counts), self.kernel)


def sources(core):
    """All C text of the core."""
    texts = []
    for name in sorted(os.listdir(core)):
        if name.endswith((".c", ".h")):
            with open(os.path.join(core, name), encoding="utf-8") as source:
                texts.append(source.read())
    return "\n".join(texts)


def has_function(text, name):
    """Whether `bool name(...)` is defined, not only declared."""
    return re.search(rf"^(?:static )?(?:inline )?bool {name}\([^;{{}}]*\)\s*\{{", text,
                     re.MULTILINE) is not None


def rows(spec, core):
    """The table; without the core's directory nothing is said about functions."""
    text = sources(core) if core else None
    return [row(rule, text) for rule in spec.rules]


def row(rule, text):
    """One rule; what a runtime rule does not owe is a dash."""
    predicate = "yes" if rule.predicate else "-" if rule.runtime else "no"
    function = "-" if rule.runtime or text is None else \
        "yes" if has_function(text, rule.identifier) else "no"
    counts = ["-" if rule.runtime else len(rule.of_kind(kind)) for kind in VECTOR_KINDS]
    kernel = "test: " + "; ".join(rule.established_by) if rule.runtime else kernel_words(rule)
    return Row(rule, predicate, function, counts, kernel or "-")


def check(spec, core, errors):
    """A rule without its function is an error once there is a core."""
    for r in rows(spec, core):
        if r.function == "no":
            errors.add(r.rule.place, f"rule {r.rule.name} has no function "
                       f"bool {r.rule.identifier}() in {core}")


def table(spec, core):
    """The table as text."""
    lines = [HEADER] + [r.cells() for r in rows(spec, core)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER) - 1)]
    text = "".join("  ".join([cell.ljust(w) for cell, w in zip(line, widths)] + [line[-1]])
                   .rstrip() + "\n" for line in lines)
    return text + totals(spec)


def totals(spec):
    """The closing line."""
    vectors = sum(len(r.vectors) for r in spec.rules)
    runtime = sum(r.runtime for r in spec.rules)
    return f"{len(spec.rules)} rules ({runtime} about readers), {vectors} vectors\n"
