# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""A second source for contracts, which the proof itself takes as they are.

What a function requires is recorded in requires.tsv: to change it is to change a line there. What
it ensures must determine its result and what it sets, in one of few forms: a value is the
specification's own function, a verdict is equivalent to something, a decoder decodes every member.
"""

import functools
import os
import re

import acsl
from gates import contracts_in
from wp import core_files, die, HERE, read, SPEC, write

REQUIRES = f"{HERE}/requires.tsv"
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# What each function of the core requires of its callers: a promise that no proof of the function
# checks. `proofs/prove --record-requires` writes this file; a requirement that is new or stronger
# than before can hide a case from the proof, so give the reason in the commit.
"""
# Steps of a search, whose results have no name in the specification: their contracts say of the
# result what the search relies on. The functions that use them are equivalent to a predicate.
SEARCHES = ("last_name_end", "name_end", "dirent_search")
# A value of a field, by the width of the field.
BY_CASES = ("ishare_number",)
LAYOUT = "build/spec/layout.h"
HEADERS = ("ref/core/types.h", LAYOUT)


# ---- What is required ----

def contracts():
    """All contracts of the core."""
    return [c for path in core_files() for c in contracts_in(path)]


def required():
    """[(file, function, clause's name, text)] of the core."""
    return sorted((c.path, c.function, clause.name, clause.text) for c in contracts()
                  for clause in c.clauses if clause.kind == "requires")


def recorded():
    """The same, as requires.tsv has it."""
    if not os.path.exists(REQUIRES):
        return []
    lines = [line for line in read(REQUIRES).splitlines() if line and not line.startswith("#")]
    return [tuple(line.split("\t")) for line in lines[1:]]


def record():
    """Write requires.tsv; returns the exit status."""
    if not os.path.exists(SPEC):
        die(f"{SPEC} is missing: run `make spec` first")
    rows = ["\t".join(row) for row in [("file", "function", "clause", "text"), *required()]]
    write(REQUIRES, HEAD + "\n".join(rows) + "\n")
    return 0


def requires():
    """Functions require what is recorded."""
    now, before = required(), recorded()
    return [f"{path}: {function}() requires `{name}: {text}`, which requires.tsv does not have: if "
            "that is meant, run `proofs/prove --record-requires`"
            for path, function, name, text in now if (path, function, name, text) not in before] + \
        [f"{path}: {function}() no longer requires `{name}: {text}`: run `proofs/prove "
         "--record-requires`"
         for path, function, name, text in before if (path, function, name, text) not in now]


# ---- Results ----

def results():
    """Each result is determined by what its function ensures."""
    logic = set(re.findall(r"\blogic\s+\w[\w\s*]*?\b(\w+)\s*(?:\{\w+\})?\s*[(=]", read(SPEC)))
    return [f"{c.path}: {c.function}() {what}" for c in contracts() for what in undetermined(c, logic)]


def undetermined(contract, logic):
    """Why a contract does not determine the result."""
    ensured = contract.of_kind("ensures")
    before_parameters = contract.head[:contract.head.index("(")]
    kind = re.sub(r"\b(?:static|inline)\b", "", before_parameters).split()[:-1]
    if kind == ["void"] or contract.function in SEARCHES:
        return []
    if kind == ["bool"]:
        return [] if any(is_verdict(e) for e in ensured) else \
            [r"is a verdict, but ensures no `\result <==> ...`"]
    if kind[:1] == ["enum"]:
        return undetermined_status(ensured)
    if contract.function in BY_CASES:
        return [] if all(re.fullmatch(r"[^=]+ == \d+ ==> \\result == \S+", e) for e in ensured) \
            else [r"is a value by cases, but ensures something else"]
    values = [e for e in ensured if is_value(e, logic)]
    return [] if values else [r"is a value, but ensures no `\result == F(...)` with a function F of "
                              "the specification"]


def is_verdict(ensures):
    r"""Whether a clause says of \result, which is bool, when it is true."""
    match = re.fullmatch(r"\\result <==> (.*)", ensures)
    return bool(match) and r"\result" not in match.group(1) and not outermost("?", match.group(1))


def is_value(ensures, logic):
    r"""Whether a clause says that \result is what a function of the specification has."""
    match = re.fullmatch(r"\\result == (\w+)\(([^?&|<>=]*)\)", ensures.replace("->", "."))
    return bool(match) and match.group(1) in logic and r"\result" not in match.group(2)


def outermost(sign, text):
    """Whether a sign stands outside of all parentheses."""
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == sign and depth == 0:
            return True
    return False


def undetermined_status(ensured):
    """The constants of an enumeration that a contract mentions as the result without saying when
    they are."""
    mentioned = set(re.findall(r"\\result [=!]= (\w+)", " ".join(ensured)))
    told = {m.group(1) or m.group(3) for e in ensured for m in [re.fullmatch(
        r"\\result == (\w+) <==> (.*)|.* ==> \\result == (\w+)", e)]
            if m and r"\result" not in (m.group(2) or "")}
    lacks = [f"does not say when its result is {name}" for name in sorted(mentioned - told)]
    return lacks if len(told) > 1 else [*lacks, "does not say when its result is what"]


# ---- What is decoded ----

@functools.lru_cache(maxsize=None)
def members_in(text):
    """{structure: [its members]} of a header."""
    return {name: re.findall(r"(\w+);", body) for name, body in
            re.findall(r"\bstruct (\w+) \{(.*?)\n\};", acsl.code_of(text), re.DOTALL)}


def members():
    """The same of all headers with structures."""
    return {name: found for path in HEADERS for name, found in members_in(read(path)).items()}


def descriptions():
    """{structure: {predicate: (its parameter for the structure, body)}} of the specification."""
    found = {}
    for note in acsl.annotations(read(SPEC)):
        for statement in acsl.statements(note.body):
            match = acsl.DEFINITION.fullmatch(statement)
            for structure, name in re.findall(r"struct (\w+) \*\s*(\w+)", match.group(2) or ""):
                found.setdefault(structure, {})[match.group(1)] = (name, match.group(3))
    return found


def decoders():
    """Whatever sets a structure says of each member what it is; and generated decoders and encoders
    say what they must."""
    structures, described = members(), descriptions()
    wrong = []
    for c in contracts():
        if c.head.startswith("static"):
            continue  # its callers have to say what it does
        for structure, name in set_or_encoded(c):
            silent = [m for m in structures.get(structure, ())
                      if not says_member(c, name, m, described.get(structure, {}))]
            wrong += [f"{c.path}: {c.function}() does not say what {name}->{m} is" for m in silent]
        wrong += codec(c, structures)
    return wrong


def set_or_encoded(contract):
    """(structure, parameter) of each structure that a function sets or, to bytes, encodes."""
    to_bytes = any(re.fullmatch(r"uint8_t \*\w+", p) for p in contract.parameters)
    for parameter in contract.parameters:
        match = re.fullmatch(r"(const )?struct (\w+) \*(\w+)", parameter)
        if match and (not match.group(1) or to_bytes):
            yield match.group(2), match.group(3)


def says_member(contract, name, member, predicates):
    """Whether a contract says what a member is, itself or by a predicate of the specification; of a
    structure that is a member, one of its own members is not enough."""
    for ensures in contract.of_kind("ensures"):
        if re.search(rf"\b{name}->{member}\b(?!\.)", ensures):
            return True
        for predicate, (formal, body) in predicates.items():
            if re.search(rf"(?:^|==> |&& ){predicate}\([^()]*\b{name}\)", ensures) and \
                    re.search(rf"\b{formal}->{member}\b(?!\.)", body):
                return True
    return False


def codec(contract, structures):
    """What the decoder of an on-disk structure ensures is known to the word."""
    match = re.fullmatch(r"ishare_(\w+)_decode", contract.function)
    structure = f"ishare_{match.group(1)}" if match else ""
    size = f"{structure.upper()}_SIZE"
    if not re.search(rf"^#define {size} ", read(LAYOUT), re.MULTILINE) or \
            structure not in structures:
        return []
    view, target = contract.names()
    wanted = [rf"{view}->size >= {size} ==> \result == ISHARE_OK",
              rf"{view}->size < {size} ==> \result == ISHARE_SHORT",
              rf"\result == ISHARE_OK ==> {match.group(1)}_at({view}->data, {target})"]
    found = contract.of_kind("ensures")
    return [f"{contract.path}: {contract.function}() ensures `{e}`, and not what a decoder does"
            for e in found if e not in wanted] + \
        [f"{contract.path}: {contract.function}() does not ensure `{e}`" for e in wanted
         if e not in found]
