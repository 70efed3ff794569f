# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What must be true of contracts and goals before "all goals are valid" means anything.

Each gate returns complaints, none if all is well.
"""

import os
import re

import acsl
from wp import BUILD, HERE, core_files, read, run

FLOORS = f"{HERE}/floors.tsv"
FLOORS_HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The fewest goals that each function may have, not counting those of assertions and loop
# invariants, and how many of them are about what it ensures. `proofs/prove --record-floors` adds
# functions and raises numbers. To lower a number or remove a function, edit this file by hand, in a
# commit that says why.
"""
# The functions that sum rules up, and the formulas in the "Conformance" sections of the
# specification.
SUMMARIES = {"ishare_superblock_judge": "superblock_bytes_conform(v, image_size, p)",
             "ishare_prefixes_conform": "prefixes_conform(sb, table, space_size)"}
SAME_TWICE = re.compile(r"\(?(.+?)\)? ?(?:<==>|==>|==|<=|>=) ?\(?(.+?)\)?")


def plain():
    """The core is written so that Frama-C, compilers and these gates read the same."""
    headers = {os.path.basename(path) for path in core_files() if path.endswith(".h")}
    wrong = [f"ref/core/{name}: only .c and .h files belong there"
             for name in sorted(os.listdir("ref/core"))
             if not name.endswith((".c", ".h"))]
    return wrong + [w for path in core_files() for w in acsl.plain(path, read(path), headers)]


def definitions(path):
    """The specification defines predicates and logic functions, and those that are recursive have a
    value."""
    text = read(path)
    try:
        found = acsl.definitions(text)
    except acsl.Unreadable as reason:
        return [f"{path}: {reason}: nothing there may be believed unproved"]
    code = "".join(acsl.code_of(text).split())
    wrong = [] if re.fullmatch(r"(#ifndef(\w+_H)#define\2)?(#include\"layout.h\")?(#endif)?",
                               code) else \
        [f"{path}: has more than definitions"]
    for name, parameters, body in found:
        calls = [m.end() for m in re.finditer(rf"(?<!->)(?<![.\w]){name}\b\s*(?:\{{\w+\}})?", body)]
        if calls and not counts_down(name, parameters, body, calls):
            wrong.append(f"{path}: {name}() calls itself, but is not of the form `n <= 0 ? ... : "
                         "... (n - 1)`")
    return wrong


def counts_down(name, parameters, body, calls):
    """Whether a recursive definition has a counter that is less by one in each call, and is done at
    0."""
    form = re.fullmatch(r"(\w+) <= 0 \?([^?:]*):.*", body, re.DOTALL)
    if not form or form.group(1) not in parameters or re.search(rf"\b{name}\b", form.group(2)) or \
            re.search(r"\\(?:let|forall|exists|lambda)\b", body):
        return False
    counter = parameters.index(form.group(1))
    for end in calls:
        arguments = argument_list(body, end + 1) if body[end:end + 1] == "(" else []
        if arguments[counter:counter + 1] != [f"{form.group(1)} - 1"]:
            return False
    return True


def argument_list(text, start):
    """The arguments of a call, split at the commas, outer parentheses left out."""
    depth, arguments, current = 0, [], ""
    for char in text[start:]:
        if char == ")" and depth == 0:
            break
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            arguments.append(current.strip())
            current = ""
        else:
            current += char
    return arguments + [current.strip()]


def contracts(sources):
    """Every function has one complete contract, one that says what its result means."""
    wrong = []
    for source in sources:
        for function in source.functions:
            wrong += [f"{source.path}: {function}() {what}"
                      for what in missing(contracts_of(function, source))]
        if source.path.endswith(".c"):
            wrong += [f"{source.path}: has a contract of {c.function}(), which it does not define"
                      for c in contracts_in(source.path) if c.function not in source.functions]
    return wrong


def contracts_of(function, source):
    """The contracts of a function: in its own file and in headers."""
    found = []
    for path in dict.fromkeys([source.path,
                               *sorted(p for p in source.dependencies() if p.endswith(".h"))]):
        if os.path.basename(path) not in acsl.GENERATED:
            found += [c for c in contracts_in(path) if c.function == function]
    return found


def contracts_in(path):
    """The contracts in a file; none if it is unreadable, which plain() says."""
    try:
        return acsl.contracts(path, read(path))
    except acsl.Unreadable:
        return []


def missing(found):
    """The missing parts of a function's contract."""
    if len(found) != 1:
        return ["has no contract" if not found else f"has {len(found)} contracts"]
    contract, lacks = found[0], []
    outputs = [name for name, p in zip(contract.names(), contract.parameters)
               if "*" in p and not p.startswith("const ")]
    if any("*" in p for p in contract.parameters) and not contract.of_kind("requires"):
        lacks.append("takes pointers, but its contract requires nothing of them")
    for kind, value in (("terminates", r"\true"), ("exits", r"\false")):
        if contract.of_kind(kind) != [value]:
            lacks.append(f"has no `{kind} {value}`")
    lacks += assigned(contract, outputs) + unsaid(contract, outputs)
    return lacks


def assigned(contract, outputs):
    """The errors in a function's assigns clauses."""
    places = [place for text in contract.of_kind("assigns") for place in argument_list(text, 0)]
    if not places:
        return ["does not say what it assigns"]
    return [f"assigns {place}, which is not for it to set" for place in places
            if place != r"\nothing"
            and re.match(r"[*(&]*(\w+)|", place).group(1) not in outputs]


def unsaid(contract, outputs):
    """The results that a contract does not ensure, or only vacuously."""
    empty = [e for e in contract.of_kind("ensures") if says_nothing(e)]
    ensured = " ".join(e for e in contract.of_kind("ensures") if e not in empty)
    lacks = [f"ensures `{e}`, which says nothing" for e in empty]
    if not re.match(r"(?:static )?(?:inline )?void \w+\(",
                    contract.head) and r"\result" not in ensured:
        lacks.append("does not say what its result means: no ensures with \\result")
    return lacks + [f"does not say what {name} is set to: no ensures with it" for name in outputs
                    if not re.search(rf"\b{name}\b", ensured)]


def says_nothing(ensures):
    """Whether a clause compares something with itself, or is a constant."""
    match = SAME_TWICE.fullmatch(ensures)
    return bool(match) and match.group(1) == match.group(2) or ensures == r"\true" or \
        not re.search(r"[A-Za-z_]", re.sub(r"0x\w+", "", ensures))


def rules(sources, spec_rules, summaries=None):
    """The function of each rule is equivalent to the predicate of its name, and each summary to its
    formula."""
    owner = {f: source for source in sources for f in source.functions}
    demanded = [(f"rule {name}", identifier, None) for name, identifier in spec_rules] + \
        [(f"formula {formula.partition('(')[0]}", function, formula)
         for function, formula in (SUMMARIES if summaries is None else summaries).items()]
    wrong = []
    for what, function, predicate in demanded:
        if function not in owner:
            wrong.append(f"{what}: the core has no function {function}()")
            continue
        found = contracts_of(function, owner[function])
        meaning = [c.text for contract in found for c in contract.clauses
                   if (c.kind, c.name) == ("ensures", "meaning")]
        stated = predicate or f"{function}(its parameters)"
        wanted = [rf"\result <==> {predicate or f'{function}({parameters})'}"
                  for parameters in (", ".join(contract.names()) for contract in found[:1])]
        if meaning != wanted or not wanted:
            wrong.append(f"{what}: {function}() does not ensure `meaning: \\result <==> {stated}` "
                         "and no other meaning")
    return wrong


def strangers(sources):
    """What the core calls is the core, so that every contract that is relied upon is one that is
    proved."""
    defined = {f for source in sources for f in source.functions}
    return [f"{source.path} calls {name}(), which the core does not define"
            for source in sources for name in source.calls if name not in defined]


def committed():
    """No result of a proof is under version control."""
    listed = run("git", "ls-files", "--", BUILD, "*.proved", "*wp-cache*",
                 "*.wpcache").stdout.split()
    return [f"{path} is under version control: results are to be found anew" for path in listed]


def read_floors():
    """floors.tsv: {(file, function): {column: number}}, and the columns."""
    if not os.path.exists(FLOORS):
        return {}, []
    lines = [line.split("\t") for line in read(FLOORS).splitlines() if line
             and not line.startswith("#")]
    columns = lines[0][2:]
    return {tuple(line[:2]): dict(zip(columns, map(int, line[2:]))) for line in lines[1:]}, columns


def floors(column, counts, left_out=()):
    """No function has fewer goals than it once had; counts is {(file, function): number}, but for
    those left out."""
    recorded, _ = read_floors()
    wrong = []
    for (path, function), row in recorded.items():
        if (path, function) in left_out:
            continue
        if (path, function) not in counts:
            wrong.append(f"{path}: {function}() is in floors.tsv, but it is gone")
        elif counts[path, function] < row.get(column, 0):
            wrong.append(f"{path}: {function}() has {counts[path, function]} {column}, "
                         f"and had {row[column]} when floors.tsv was written")
    wrong += [f"{path}: {function}() is not in floors.tsv: run `proofs/prove --record-floors`"
              for path, function in counts if column not in recorded.get((path, function), {})]
    return wrong


def record_floors(counts):
    """Raise the floors to {column: {(file, function): number}}; returns complaints if one would
    sink."""
    recorded, _ = read_floors()
    columns = sorted(counts)
    wrong = [f"{path}: {function}() has {counts.get(column, {}).get((path, function), 0)} "
             f"{column}, the floor is {number}: lower it by hand, and say why in the commit"
             for (path, function), row in recorded.items() for column, number in row.items()
             if counts.get(column, {}).get((path, function), 0) < number]
    if not wrong:
        keys = sorted({key for counted in counts.values() for key in counted})
        rows = ["\t".join([*key, *(str(counts[column].get(key, 0)) for column in columns)])
                for key in keys]
        with open(FLOORS, "w", encoding="utf-8") as f:
            f.write(FLOORS_HEAD + "\t".join(["file", "function", *columns]) + "\n"
                    + "\n".join(rows) + "\n")
    return wrong
