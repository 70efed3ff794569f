# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What each rule needs - predicate, function, vectors, kernel consequence - and has."""

import os
import re
from dataclasses import dataclass

from erofs_ishare.files import read

from .model import Place, VECTOR_KINDS
from .words import kernel_words

HEADER = ("Rule", "Subject", "Severity", "Predicate", "Function", "Holds", "Fails", "Either",
          "Hides", "Sharing", "Kernel")


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
                self.function, *map(str, self.counts), self.rule.hides or "-",
                self.rule.sharing or "-", self.kernel)


def sources(directory, extensions=(".c", ".h")):
    """The C sources of a directory: {path: text}."""
    found = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith(extensions):
            path = os.path.join(directory, name)
            found[path] = read(path)
    return found


def code(directory, extensions=(".c", ".h")):
    """The C text of a directory."""
    return "\n".join(sources(directory, extensions).values())


def has_function(text, name):
    """Whether `bool name(...)` is defined, not only declared."""
    return re.search(rf"^(?:static )?(?:inline )?bool {name}\([^;{{}}]*\)\s*\{{", text,
                     re.MULTILINE) is not None


def declares(text, name):
    """Whether `bool name(...)` is declared or defined."""
    return re.search(rf"^(?:static inline )?bool {name}\(", text, re.MULTILINE) is not None


def contract(headers, name):
    """(place, text) of the contract above the declaration of `bool name(...)`; the text is empty
    if there is none."""
    for path, text in headers.items():
        found = re.search(rf"(/\*@(?:(?!\*/).)*\*/\n)?^(?:static inline )?(bool {name})\(", text,
                          re.MULTILINE | re.DOTALL)
        if found:
            return Place(path, text.count("\n", 0, found.start(2)) + 1), found.group(1) or ""
    return None


def check_contract(rule, headers, errors):
    """The contract says that the function decides the rule."""
    place, text = contract(headers, rule.identifier)
    if not re.search(r"\bensures meaning:\s*\\result\s*<==>\s*"
                     rf"{rule.identifier}\s*\([^()]*\)\s*;", re.sub(r"//[^\n]*", "", text)):
        errors.add(place, f"rule {rule.name}: the contract of {rule.identifier}() does not say "
                   f"`ensures meaning: \\result <==> {rule.identifier}(...)`")


def calls(text, name):
    """Whether `name(...)` is used, and not only defined."""
    return re.search(rf"(?<!\bbool )\b{name}\(", text) is not None


def rows(spec, core):
    """The table; without the core's directory nothing is said about functions."""
    text = code(core) if core else None
    return [row(rule, text) for rule in spec.rules]


def row(rule, text):
    """One rule; what a runtime rule does not need is a dash."""
    predicate = "yes" if rule.predicate else "-" if rule.runtime else "no"
    function = "-" if rule.runtime or text is None else \
        "yes" if has_function(text, rule.identifier) else "no"
    counts = ["-" if rule.runtime else len(rule.of_kind(kind)) for kind in VECTOR_KINDS]
    kernel = "test: " + "; ".join(rule.established_by) if rule.runtime else kernel_words(rule)
    return Row(rule, predicate, function, counts, kernel or "-")


def check(spec, core, errors):
    """Each rule about bytes has its function in the core, and a header declares it, with a
    contract that states the rule."""
    text, headers, functions = code(core), sources(core, (".h",)), code(core, (".c",))
    declarations, judged = "\n".join(headers.values()), judged_together(spec)
    for rule in (r for r in spec.rules if not r.runtime):
        name = rule.identifier
        if not has_function(text, name):
            errors.add(rule.place, f"rule {rule.name} has no function: define bool {name}() in "
                       f"{core}")
        elif not declares(declarations, name):
            errors.add(rule.place, f"rule {rule.name}: no header in {core} declares bool {name}()")
        else:
            check_contract(rule, headers, errors)
        if rule.predicates & spec.demanded and rule not in judged and not calls(functions, name):
            errors.add(rule.place, f"rule {rule.name}: conformance demands it, but nothing in "
                       f"{core} calls {name}(): call it where its chapter's formula is decided")


def judged_together(spec):
    """The rules that generated judges ask, so that what is left to do is to word what they find."""
    return [r for judging in spec.judgings for r in spec.judged(judging)]


def check_judges(spec, judges, errors):
    """Each rule about bytes is reported somewhere, and nothing is reported that is no rule."""
    reported, where, judged = set(), " or ".join(judges), judged_together(spec)
    known = {f"ISHARE_RULE_{r.identifier.upper()}": r for r in spec.rules}
    for name, place in reports(judges):
        reported.add(name)
        if name not in known and name != "ISHARE_RULE_COUNT":
            errors.add(place, f"{name}: there is no such rule: write its section in the "
                       "specification")
    for name, rule in known.items():
        if not rule.runtime and name not in reported:
            call = "" if rule in judged else f"call {rule.identifier}() and "
            errors.add(rule.place, f"rule {rule.name} is never reported: {call}report {name} in "
                       f"{where}")


def reports(judges):
    """(ISHARE_RULE_..., its place) wherever one stands in the judges' sources."""
    for path, text in (item for directory in judges for item in sources(directory).items()):
        for number, line in enumerate(text.split("\n"), 1):
            for name in re.findall(r"\bISHARE_RULE_\w+", line):
                yield name, Place(path, number)


def table(spec, core):
    """The table as text."""
    lines = [HEADER] + [r.cells() for r in rows(spec, core)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER) - 1)]
    text = "".join("  ".join([cell.ljust(w) for cell, w in zip(line, widths)] + [line[-1]])
                   .rstrip() + "\n" for line in lines)
    return text + totals(spec)


def totals(spec):
    vectors = sum(len(r.vectors) for r in spec.rules)
    runtime = sum(r.runtime for r in spec.rules)
    return f"{len(spec.rules)} rules ({runtime} about readers), {vectors} vectors\n"
