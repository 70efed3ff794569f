# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Reads C and ACSL as they stand in the core, and refuses all that Frama-C could read in another
way.

The gates read text; Frama-C reads what a preprocessor makes of it. Both are the same only in a
small language, and that is all the core may be written in: no conditionals, no macros but numbers,
no includes but its own, and of ACSL the kinds of clauses that are listed here. What is not on a
list is refused, harmless or not.
"""

import functools
import os
import re
from dataclasses import dataclass

COMMENT_OR_LITERAL = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
                                re.DOTALL)
CONTRACT = ("requires", "terminates", "exits", "assigns", "ensures")
LOOP = ("loop invariant", "loop assigns", "loop variant")
CLAUSE = re.compile(rf"\s*({'|'.join(CONTRACT + LOOP).replace(' ', chr(92) + 's+')}|assert|ghost)\b\s*"
                    r"(?:(\w+)\s*:)?\s*(.*?)\s*", re.DOTALL)
# Their semicolons end no clause.
BINDER = re.compile(r"\\(?:forall|exists)\s+[\w\s,*]+;|\\let\s+\w+\s*=[^;]*;")
HIDDEN = "\0"
# Ghost code counts, and calls nothing.
GHOST = re.compile(r"(?:size_t )?\w+ = [\w +*/%-]+")
DEFINITION = re.compile(r"\s*(?:logic\s+\w[\w\s*]*?|predicate)\s*\b(\w+)\s*(?:\{\w+\})?\s*"
                        r"(?:\(([^)]*)\))?\s*=(?!=)\s*(.*?)\s*", re.DOTALL)
HEAD = re.compile(r"\s*(\w[\w\s*]*?\b(\w+)\(([^;{}()]*)\))\s*[;{]")
# Attributes, other people's macros and what a compiler has of its own; trigraphs, digraphs and
# split lines.
FOREIGN = re.compile(r"\b(?:__\w+|_[A-Z]\w*|asm|typeof)\b|\?\?|%:|<:|:>|<%|%>|\\\n")
GENERATED = ("layout.h", "spec.acsl.h")
# All macros of the core; what a macro stands for is a number, so none can hide a word.
MACROS = {"superblock.c": ("MODE_TYPE 0xf000u", "MODE_DIRECTORY 0x4000u"),
          "xxh32.c": ("WRAP 4294967296u",),
          "crc32c.c": ("POLYNOMIAL 0x82f63b78u",)}
# All conditionals of the core, word for word.
CONDITIONALS = {"types.h": (
    "#ifdef __KERNEL__\n#include <linux/types.h>\n#else\n#include <stdbool.h>\n#include "
    "<stddef.h>\n"
    "#include <stdint.h>\n#endif\n",
    "#if defined(__LP64__) || defined(_LP64)\n#define ISHARE_VIEW_MAX 0x7fffffffffffffff\n#else\n"
    "#define ISHARE_VIEW_MAX 0x7fffffff\n#endif\n")}


class Unreadable(Exception):
    """An annotation that is not made of the clauses that are known."""


@dataclass(frozen=True)
class Clause:
    """One clause of an annotation; spaces are single."""
    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Annotation:
    """A comment that Frama-C reads: what is in it, without ACSL's own comments."""
    start: int
    end: int
    body: str


@dataclass(frozen=True)
class Contract:
    """A contract and the function's head below it."""
    path: str
    function: str
    head: str
    parameters: tuple  # as declared
    clauses: tuple

    def of_kind(self, kind):
        """The texts of all clauses of a kind."""
        return [c.text for c in self.clauses if c.kind == kind]

    def names(self):
        """The parameters' names."""
        return [re.search(r"(\w+)\s*$", p).group(1) for p in self.parameters]


def single_spaced(text):
    """The text on one line."""
    return " ".join(text.split())


def comments(text):
    """(start, end) of each comment, outside of literals."""
    return [m.span() for m in COMMENT_OR_LITERAL.finditer(text) if m.group()[0] == "/"]


def code_of(text):
    """The text with spaces for comments."""
    for start, end in comments(text):
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text


def annotations(text):
    """The ACSL annotations of a C file."""
    found = []
    for start, end in comments(text):
        if text[start + 2:start + 3] == "@":
            body = text[start + 3:end - 2] if text[start + 1] == "*" else text[start + 3:end]
            found.append(Annotation(start, end, re.sub(r"//[^\n]*", "", body)))
    return found


def statements(body):
    """The statements of an annotation, which semicolons separate."""
    hidden = BINDER.sub(lambda m: m.group().replace(";", HIDDEN), body)
    parts = hidden.split(";")
    if parts[-1].strip():
        raise Unreadable("it does not end with a semicolon")
    return [part.replace(HIDDEN, ";") for part in parts[:-1]]


def clauses(body):
    """The clauses of an annotation in C code."""
    found = []
    for statement in statements(body):
        match = CLAUSE.fullmatch(statement)
        if not match:
            raise Unreadable(f"`{single_spaced(statement)}` is no clause that the core may have")
        found.append(Clause(single_spaced(match.group(1)), match.group(2) or "",
                            single_spaced(match.group(3))))
    check_clauses(found)
    return tuple(found)


def check_clauses(found):
    """Only known clauses, together with their likes."""
    for clause in found:
        if clause.text == r"\false" and clause.kind != "exits":
            raise Unreadable(f"`{clause.kind} \\false` makes everything provable")
        if clause.kind == "ghost" and (clause.name or not GHOST.fullmatch(clause.text)):
            raise Unreadable(f"ghost code does more than to count: `{clause.text}`")
    kinds = {c.kind for c in found}
    if not (kinds and (kinds <= set(CONTRACT) or kinds <= set(LOOP) or len(found) == 1)):
        raise Unreadable("it is neither a contract, nor of a loop, nor an assertion, nor "
                         "ghost code")


@functools.lru_cache(maxsize=None)
def contracts(path, text):
    """The contracts in a C file; raises Unreadable."""
    code, notes, found = code_of(text), annotations(text), []
    for note in notes:
        said = clauses(note.body)
        outside = code.count("{", 0, note.start) == code.count("}", 0, note.start)
        if (said[0].kind in CONTRACT) != outside:
            raise Unreadable(f"`{said[0].kind} {said[0].text}` is not where it belongs: contracts "
                             "stand above functions, everything else in them")
        if said[0].kind in CONTRACT:
            head = HEAD.match(code, note.end)
            if not head or any(note.end <= other.start < head.end() for other in notes):
                raise Unreadable(f"`{said[0].kind} {said[0].text}` is not the contract of the "
                                 "function below it")
            parameters = tuple(p.strip() for p in head.group(3).split(","))
            found.append(Contract(path, head.group(2), single_spaced(head.group(1)),
                                  () if parameters == ("void",) else parameters, said))
    return found


def definitions(text):
    """(name, parameters, body) of each definition of the specification; raises Unreadable if there
    is anything else."""
    found = []
    for note in annotations(text):
        for statement in statements(note.body):
            match = DEFINITION.fullmatch(statement)
            if not match:
                raise Unreadable(f"`{single_spaced(statement)[:80]}` is no definition of a "
                                 "predicate or logic function")
            names = [re.search(r"(\w+)\s*$", p).group(1) for p in (match.group(2) or "").split(",")
                     if p.strip()]
            found.append((match.group(1), names, match.group(3)))
    return found


def plain(path, text, headers):
    """The constructs in a file of the core that are not allowed: [complaint]."""
    name = os.path.basename(path)
    wrong = []
    for block in CONDITIONALS.get(name, ()):
        text = text.replace(block, "\n" * block.count("\n"))
    for start, end in comments(text):
        if "/*" in text[start + 2:end]:
            wrong.append("a comment begins within a comment: `"
                         + single_spaced(text[start:end])[:60] + "`")
    read_by_frama_c = code_of(text) + "".join(note.body for note in annotations(text))
    wrong += [f"`{single_spaced(word)}` may be another thing to Frama-C than to compilers"
              for word in sorted(set(FOREIGN.findall(read_by_frama_c)
                                     + re.findall(r"\?\?.|\\(?=\n)", text)))]
    for note in annotations(text):
        if re.search(r"[#\"@]", note.body):
            wrong.append(f"an annotation with one of # \" @: `{single_spaced(note.body)[:60]}`")
    wrong += directives(name, code_of(text), headers)
    try:
        contracts(path, text)
    except Unreadable as reason:
        wrong.append(f"ACSL: {reason}")
    return [f"{path}: {w}" for w in wrong]


def directives(name, code, headers):
    """Preprocessor lines that are not listed."""
    guard = f"ISHARE_{name.removesuffix('.h').upper()}_H"
    if name.endswith(".h"):
        inner = re.fullmatch(rf"\s*#ifndef {guard}\n#define {guard}\n(.*)#endif\s*",
                             code, re.DOTALL)
        if not inner:
            return [f"not within #ifndef {guard}, #define {guard} and #endif"]
        code = inner.group(1)
    allowed = ({f'#include "{h}"' for h in (*headers, *GENERATED)}
               | {f"#define {m}" for m in MACROS.get(name, ())})
    return [f"a preprocessor line that is not on the list: `{line.strip()}`"
            for line in re.findall(r"^.*#.*$", code, re.MULTILINE) if line.strip() not in allowed]
