# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The judges in codec.h and codec.c: for each section "Judging", a function that asks all of its
rules, and one that says whether any of severity error is broken, with contracts.

The rules are functions of the core, and so are the conditions under which they are judged: for each
predicate in a condition that is no rule, ishare_PREDICATE(). As many rules as a prover follows at
once are asked by a function of their own.
"""

import re

FEW = 4

INCLUDE = '#include "core.h"\n'

ASK_COMMENT = """\
/*
 * Judges the rules of the chapter "%s", as its section "Judging" says when, and its section
 * "Conformance" by what.
 */
"""
FAULTLESS_COMMENT = "/* Whether no rule of severity error is among those that do not hold. */\n"


def contract(requires, assigns, ensures):
    """A contract of a function that always returns."""
    clauses = [*(f"requires {clause}" for clause in requires), r"terminates \true", r"exits \false",
               f"assigns {assigns}", *(f"ensures {clause}" for clause in ensures)]
    return "/*@ " + ";\n    ".join(clauses) + "; */\n"


def head(result, name, parameters):
    """The head of a function, a line for each parameter."""
    start = f"{result} {name}("
    before = "\t" * (len(start) // 8) + " " * (len(start) % 8)
    return start + f",\n{before}".join(parameters) + ")"


def c_parameter(declared):
    """A predicate's parameter as C has it."""
    return declared.replace("integer", "uint64_t") if declared.startswith("integer") else \
        f"const {declared}"


def c_condition(spec, condition):
    """A condition as C has it."""
    rules = {r.identifier for r in spec.rules}
    return re.sub(r"\b(\w+)(?=\()",
                  lambda m: m[1] if m[1] in rules else f"ishare_{m[1]}", condition)


class Judge:
    """The functions for one section."""

    def __init__(self, spec, judging):
        self.spec, self.judging = spec, judging
        self.name, self.rules = judging.chapter, spec.judged(judging)
        self.parameters = spec.judged_by(judging)
        self.faults = f"struct ishare_{self.name}_faults *faults"
        self.conditions = ["", *dict.fromkeys(filter(None, map(judging.condition, self.rules)))]

    def requires(self, names):
        """What a judge needs of some parameters."""
        kinds = {name: self.parameters[name].rpartition(" ")[0] for name in names
                 if "*" in self.parameters[name]}
        views = [name for name, kind in kinds.items() if kind == "struct ishare_view"]
        plain = [name for name in kinds if name not in views]
        if plain:
            yield "readable: " + " && ".join(rf"\valid_read({name})" for name in plain)
        for name in (n for n, kind in kinds.items() if kind == "struct ishare_profile"):
            yield f"page_size: 12 <= {name}->page_bits <= 16"
        for name in views:
            yield f"view: view_ok({name})"
        yield r"writable: \valid(faults)"
        apart = [*plain, *(text for name in views
                           for text in (name, f"{name}->data + (0 .. {name}->size - 1)"))]
        if apart:
            yield f"apart: \\separated({', '.join(['faults', *apart])})"

    def contract(self):
        """What all rules together are judged to be."""
        return contract(self.requires(self.parameters), "*faults",
                        [f"{r.identifier}: faults->{r.identifier} <==>\n      "
                         f"{self.judging.fault(r)}" for r in self.rules])

    def head(self):
        """Of the function that asks all."""
        return head("void", f"ishare_{self.name}_find_faults",
                    [*map(c_parameter, self.parameters.values()), self.faults])

    def faultless_contract(self):
        """Of the function that sums up."""
        return contract([r"readable: \valid_read(faults)"], r"\nothing",
                        [rf"meaning: \result <==> {self.name}_faultless(faults)"])

    def faultless_head(self):
        """Of the same."""
        return head("bool", f"ishare_{self.name}_faultless", [f"const {self.faults}"])

    def faultless(self):
        """The function itself."""
        terms = " &&\n\t       ".join(f"!faults->{r.identifier}" for r in self.rules
                                      if r.severity == "error")
        return f"{self.faultless_head()}\n{{\n\treturn {terms};\n}}\n"

    def parts(self):
        """(condition, a few rules that are judged under it): they are asked together."""
        for condition in self.conditions:
            rules = [r for r in self.rules if self.judging.condition(r) == condition]
            for start in range(0, len(rules), FEW):
                yield condition, rules[start:start + FEW]

    @staticmethod
    def known(condition, names):
        """As much of a condition as is about some parameters."""
        terms = [term for term in condition.split(" && ")
                 if term and set(re.findall(r"\w+(?!\w*\()", term)) <= set(names)]
        if terms:
            yield f"judged: judged ==> {' && '.join(terms)}"

    def part(self, number, condition, rules):
        """A function that asks a few rules, and a call of it."""
        names = [n for n in self.parameters if any(n in r.parameters for r in rules)]
        judged = ["bool judged"] * bool(condition)
        requires = [*self.requires(names), *self.known(condition, names)]
        asked = {r.identifier: "judged && " * bool(condition) +
                 f"!{r.identifier}({', '.join(r.parameters)})" for r in rules}
        name = f"{self.name}_faults_{number}"
        text = contract(requires, ", ".join(f"faults->{member}" for member in asked),
                        [f"{member}: faults->{member} <==> {term}"
                         for member, term in asked.items()])
        text += head("static void", name,
                     [*(c_parameter(self.parameters[n]) for n in names), *judged, self.faults])
        text += "\n{\n" + "".join(f"\tfaults->{member} = {term};\n"
                                  for member, term in asked.items()) + "}\n"
        arguments = [*names, *[self.variable(condition)] * bool(condition), "faults"]
        return text, f"\t{name}({', '.join(arguments)});\n"

    def variable(self, condition):
        """What holds whether a condition does."""
        return f"judged_{self.conditions.index(condition)}"

    def ask(self):
        """The function that asks all, after its parts."""
        parts = [self.part(number, *part) for number, part in enumerate(self.parts(), 1)]
        judged = "".join(f"\tbool {self.variable(c)} = {c_condition(self.spec, c)};\n"
                         for c in self.conditions[1:])
        return [*(text for text, _ in parts),
                f"{self.head()}\n{{\n{judged}\n" + "".join(call for _, call in parts) + "}\n"]


def declarations(spec):
    """For codec.h."""
    for judge in (Judge(spec, judging) for judging in spec.judgings):
        yield f"{ASK_COMMENT % judge.name}{judge.contract()}{judge.head()};\n"
        yield f"{FAULTLESS_COMMENT}{judge.faultless_contract()}{judge.faultless_head()};\n"


def definitions(spec):
    """For codec.c."""
    for judge in (Judge(spec, judging) for judging in spec.judgings):
        yield from judge.ask()
        yield judge.faultless()
