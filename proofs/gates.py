# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What must be true of contracts and goals before "all goals are valid" means anything.

Each gate returns complaints, none if all is well.
"""

import os
import re

from wp import BUILD, HERE, read, run

FLOORS = f"{HERE}/floors.tsv"
FLOORS_HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# How many goals each function has at least. `proofs/prove --record-floors` adds functions and raises
# numbers; lowering one, or taking a function away, is done by hand, in a commit that says why.
"""
# What makes something true that nobody proves.
TRUSTED = re.compile(r"\b(axiom|axiomatic|lemma|admit)\b|\b(?:global|type)\s+(invariant)\b|"
                     r"\b(?:requires|assumes|ensures|terminates|exits|assert)\b[^;:]*:?\s*(\\false)\s*;")
CLAUSE = re.compile(r"\b(requires|terminates|exits|assigns|ensures)\b(.*?);", re.DOTALL)


def annotations(text):
    """The ACSL of a C file."""
    return "\n".join(re.findall(r"/\*@.*?\*/|//@[^\n]*", text, re.DOTALL))


def trust(paths):
    """Nothing may be taken as true that nobody proves, and nothing be proved under a premise that never holds."""
    wrong = []
    for path in paths:
        for match in TRUSTED.finditer(annotations(read(path))):
            word = next(group for group in match.groups() if group)
            if not re.match(r"exits\b", match.group()):
                wrong.append(f"{path}: ACSL `{' '.join(match.group().split())}`: "
                             f"{word} makes provers believe what nobody proves")
    return wrong


def recursion(path):
    """A recursive logic function must count down to 0: one that has no value makes everything provable."""
    wrong = []
    text = re.sub(r"//[^\n]*", "", annotations(read(path)))
    for match in re.finditer(r"\b(?:logic\s[\w\s*]*?|predicate\s+)(\w+)(?:\{[^}]*\})?\s*(?:\(([^)]*)\))?\s*=(.*?);",
                             text, re.DOTALL):
        name, body = match.group(1), match.group(3)
        calls = [call.end() for call in re.finditer(rf"\b{name}\s*(?:\{{[^}}]*\}})?\s*\(", body)]
        counter = re.match(r"\s*(\w+) <= 0 \?", body)
        for start in calls:
            if not counter or f"{counter.group(1)} - 1" not in argument_list(body, start):
                wrong.append(f"{path}: {name}() calls itself, but is not of the form `n <= 0 ? ... : ... (n - 1)`")
    return wrong


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
    """Every function has a complete contract, one that says what its result means."""
    texts = {path: read(path) for source in sources for path in source.dependencies() + [source.path]}
    wrong = []
    for source in sources:
        for function in source.functions:
            contract, head = find_contract(function, source, texts)
            wrong += [f"{source.path}: {function}() {what}" for what in missing(contract, head, function)]
    return wrong


def find_contract(function, source, texts):
    """The contract of a function (clauses as {kind: [text]}), and its head: in its own file, else in a header."""
    pattern = re.compile(rf"/\*@((?:(?!\*/).)*)\*/\s*((?:\w[\w\s*]*?\b)?\*?{function}\(([^;{{}}]*?)\))\s*[;{{]",
                         re.DOTALL)
    for path in [source.path] + sorted(p for p in texts if p.endswith(".h")):
        match = pattern.search(texts[path])
        if match:
            clauses = {}
            for kind, text in CLAUSE.findall(re.sub(r"//[^\n]*", "", match.group(1))):
                clauses.setdefault(kind, []).append(text.strip())
            return clauses, match.group(2)
    return None, ""


def missing(contract, head, function):
    """What a contract lacks."""
    if contract is None:
        return ["has no contract"]
    lacks = []
    parameters = head[head.index("(") + 1:head.rindex(")")].split(",")
    outputs = [p.rsplit("*", 1)[1].strip() for p in parameters if "*" in p and not p.strip().startswith("const ")]
    if any("*" in p for p in parameters) and not contract.get("requires"):
        lacks.append("takes pointers, but its contract requires nothing of them")
    for kind, value in (("terminates", r"\true"), ("exits", r"\false")):
        if contract.get(kind) != [value]:
            lacks.append(f"has no `{kind} {value}`")
    if not contract.get("assigns"):
        lacks.append("does not say what it assigns")
    ensured = " ".join(contract.get("ensures", []))
    if not re.match(r"(?:static )?(?:inline )?void\s+\w+\(", head) and r"\result" not in ensured:
        lacks.append("does not say what its result means: no ensures with \\result")
    lacks += [f"does not say what {name} is set to: no ensures with it" for name in outputs
              if not re.search(rf"\b{name}\b", ensured)]
    return lacks


def rules(sources, spec_rules):
    """The function of each rule is equivalent to the predicate of its name."""
    texts = {path: read(path) for source in sources for path in source.dependencies() + [source.path]}
    owner = {f: source for source in sources for f in source.functions}
    wrong = []
    for name, identifier in spec_rules:
        if identifier not in owner:
            wrong.append(f"rule {name}: the core has no function {identifier}()")
            continue
        contract, _ = find_contract(identifier, owner[identifier], texts)
        if not any(re.search(rf"\\result <==>\s*{identifier}\(", e) for e in (contract or {}).get("ensures", [])):
            wrong.append(f"rule {name}: {identifier}() does not ensure `\\result <==> {identifier}(...)`")
    return wrong


def strangers(sources):
    """What the core calls is the core, so that every contract that is relied upon is one that is proved."""
    defined = {f for source in sources for f in source.functions}
    return [f"{source.path} calls {name}(), which the core does not define"
            for source in sources for name in source.calls if name not in defined]


def committed():
    """No result of a proof is under version control."""
    listed = run("git", "ls-files", "--", BUILD, "*.proved", "*wp-cache*", "*.wpcache").stdout.split()
    return [f"{path} is under version control: results are to be found anew" for path in listed]


def read_floors():
    """floors.tsv: {(file, function): {column: number}}, and the columns."""
    if not os.path.exists(FLOORS):
        return {}, []
    lines = [line.split("\t") for line in read(FLOORS).splitlines() if line and not line.startswith("#")]
    columns = lines[0][2:]
    return {tuple(line[:2]): dict(zip(columns, map(int, line[2:]))) for line in lines[1:]}, columns


def floors(column, counts):
    """No function has fewer goals than it once had; counts is {(file, function): number}, of all files."""
    recorded, _ = read_floors()
    wrong = []
    for (path, function), row in recorded.items():
        if (path, function) not in counts:
            wrong.append(f"{path}: {function}() is in floors.tsv, but it is gone")
        elif counts[path, function] < row.get(column, 0):
            wrong.append(f"{path}: {function}() has {counts[path, function]} {column}, "
                         f"and had {row[column]} when floors.tsv was written")
    wrong += [f"{path}: {function}() is not in floors.tsv: run `proofs/prove --record-floors`"
              for path, function in counts if column not in recorded.get((path, function), {})]
    return wrong


def record_floors(counts):
    """Raise the floors to {(file, function): {column: number}}; returns complaints if one would sink."""
    recorded, _ = read_floors()
    columns = sorted({column for row in counts.values() for column in row})
    wrong = [f"{path}: {function}() has {counts.get((path, function), {}).get(column, 0)} {column}, the floor is "
             f"{number}: lower it by hand, and say why in the commit"
             for (path, function), row in recorded.items() for column, number in row.items()
             if counts.get((path, function), {}).get(column, 0) < number]
    if not wrong:
        rows = ["\t".join([*key, *(str(row.get(c, 0)) for c in columns)]) for key, row in sorted(counts.items())]
        with open(FLOORS, "w", encoding="utf-8") as f:
            f.write(FLOORS_HEAD + "\t".join(["file", "function", *columns]) + "\n" + "\n".join(rows) + "\n")
    return wrong
