# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What a specification consists of.

Everything carries its Place, so that every error can be reported with file and line.
"""

import re
from collections import namedtuple
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

Place = namedtuple("Place", "file line")

SUBJECTS = ("image", "superblock", "device", "prefix", "inode", "dirent", "ibody", "xattr",
            "fingerprint", "files", "runtime")
SEVERITIES = ("error", "warning", "note")
HARMS = ("memory-safety", "wrong-data", "lost-sharing", "policy")
VERDICTS = ("malformed", "invalid")
KERNEL_KEYS = ("mount", "mount-may", "access", "behaviour", "since")
VECTOR_KINDS = ("holds", "fails", "either")
# What a violation does to sharing, as the introduction explains it.
SHARING = ("none", "file", "xattr", "later-xattrs", "unaffected", "other-content", "unknown")
HIDES_NOTHING = "nothing"
INTEGER_WIDTHS = {"u8": 1, "le16": 2, "le32": 4, "le64": 8}
READERS = ("le16", "le32", "le64")


class Errors:
    """Collects every complaint, because a writer wants all of them and not the first."""

    def __init__(self):
        self.found = []

    def add(self, place, message):
        """Note one complaint; the same one twice is one."""
        if (place, message) not in self.found:
            self.found.append((place, message))

    def lines(self, files=()):
        """All complaints as FILE:LINE: message, chapters in the order they were given."""
        rank = {name: i for i, name in enumerate(files)}
        ordered = sorted(self.found, key=lambda e: (rank.get(e[0].file, len(rank)), e[0].line))
        return [f"{place.file}:{place.line}: {message}" for place, message in ordered]


@dataclass
class Field:
    """One row of a field table. `width` is in bytes; `array` fields have no decoded member."""
    place: Place
    name: str
    offset: int
    type: str
    width: int
    array: bool
    meaning: str


@dataclass
class Struct:
    """A structure of the format: a heading, a stated size and a field table."""
    place: Place
    name: str
    size: int = None
    fields: list = field(default_factory=list)

    def get(self, name):
        """The field called `name`, or None."""
        return next((f for f in self.fields if f.name == name), None)

    @property
    def numbers(self):
        """The fields that are numbers, which are the members of the decoded structure."""
        return [f for f in self.fields if not f.array]


@dataclass
class Declaration:
    """A structure that a c fence defines, with members of its own or of the format's structures."""
    place: Place
    name: str
    text: str


@dataclass
class Constant:
    """One row of a constant table; `literal` is how C spells it."""
    place: Place
    name: str
    value: object
    literal: str
    meaning: str


@dataclass
class Fence:
    """One acsl fence and the names that it defines."""
    place: Place
    text: str
    names: list  # of (Place, name)

    @property
    def code(self):
        """The text without its comments, every line where it was."""
        return re.sub(r"//[^\n]*", lambda m: " " * len(m.group()), self.text)


@dataclass
class Vector:
    """One entry of a rule's vectors: `edits` is the map as written, with lines."""
    place: Place
    kind: str
    number: int
    edits: dict
    base: str


@dataclass
class Scope:
    """One row of a scope table: a word for a set of rules that become undecidable together."""
    place: Place
    name: str
    patterns: list
    reason: str


@dataclass
class Rule:
    """A rule: a heading, a normative paragraph, a predicate and a yaml fence."""
    place: Place
    name: str
    chapter: str
    requirement: str = None
    predicate: Fence = None
    yaml_place: Place = None
    key_places: dict = field(default_factory=dict)
    subject: str = None
    severity: str = None
    harm: str = None
    hides: str = None
    sharing: str = None
    kernel: dict = field(default_factory=dict)
    divergence: str = None
    unspecified: str = None
    established_by: list = field(default_factory=list)
    also: list = field(default_factory=list)
    also_places: list = field(default_factory=list)
    verdict: str = "invalid"
    vectors: list = field(default_factory=list)
    prose: list = field(default_factory=list)  # plain-text paragraphs after the yaml fence

    @property
    def identifier(self):
        """The name as predicate and function bear it."""
        return self.name.replace(".", "_").replace("-", "_")

    @property
    def runtime(self):
        """A statement about a reader: no predicate, no vector, only the kernel can test it."""
        return self.subject == "runtime"

    @property
    def breakable(self):
        """Whether an image can break the rule, and does not conform then."""
        return self.severity == "error" and not self.runtime

    @property
    def parameters(self):
        """The predicate's parameters, in their order: {name: as declared}."""
        return parameters(self.identifier, self.predicate.code) if self.predicate else {}

    @property
    def predicates(self):
        """The names under which a formula can state the rule: its predicate, and one that this
        does no more than apply, `predicate RULE(...) = NAME(...);`."""
        applied = self.predicate and re.search(
            rf"\bpredicate\s+{self.identifier}\s*(?:\{{\w+\}})?\s*\([^)]*\)\s*="
            r"\s*(\w+)\s*\([^()]*\)\s*;", self.predicate.code)
        return {self.identifier} | ({applied.group(1)} if applied else set())

    def key_place(self, key):
        """The place of a key of the yaml fence, or of the fence, if the key is missing."""
        return self.key_places.get(key, self.yaml_place)

    def of_kind(self, kind):
        """The rule's vectors of one kind."""
        return [v for v in self.vectors if v.kind == kind]


@dataclass
class Conformance:
    """A chapter's section `## Conformance`: one formula of all its rules of severity error, save
    those that a list leaves out."""
    place: Place
    chapter: str
    fences: list = field(default_factory=list)
    left_out: list = field(default_factory=list)  # of (Place, name of a rule)

    def formulas(self):
        """{name: (place, what it says)} of the predicates defined here."""
        found = {}
        for fence in self.fences:
            places = {name: place for place, name in fence.names}
            for match in re.finditer(r"\bpredicate\s+(\w+)[^=]*=(.*?);\s*(?=predicate\b|logic\b|$)",
                                     fence.code, re.DOTALL):
                found[match.group(1)] = places.get(match.group(1), fence.place), match.group(2)
        return found


@dataclass
class Judging:
    """A chapter's section `## Judging`: when each of its rules is judged, all of them together.
    What the chapter's formula, `CHAPTER_conforms`, is about is what they are judged by."""
    place: Place
    chapter: str
    rows: list = field(default_factory=list)  # of (Place, patterns, condition, "" for always)

    def condition(self, rule):
        """When a rule is judged, or None if no row has it."""
        return next((condition for _, patterns, condition in self.rows
                     if any(fnmatchcase(rule.name, p) for p in patterns)), None)

    def fault(self, rule):
        """That a rule is judged, and does not hold."""
        broken = f"!{rule.identifier}({', '.join(rule.parameters)})"
        return " && ".join(filter(None, [self.condition(rule), broken]))


@dataclass
class Chapter:
    """One Markdown file: its markdown-it tokens and what was found in them."""
    path: str
    name: str
    title: str
    tokens: list


@dataclass
class Spec:
    """All chapters together, everything in the order of the spec."""
    chapters: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    declarations: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    fences: list = field(default_factory=list)
    scopes: list = field(default_factory=list)
    rules: list = field(default_factory=list)
    conformances: list = field(default_factory=list)
    judgings: list = field(default_factory=list)
    advisories: list = field(default_factory=list)
    demanded: set = field(default_factory=set)  # names of predicates that conformance demands

    def struct(self, name):
        """The structure called `name`, or None."""
        return next((s for s in self.structs if s.name == name), None)

    def rule(self, name):
        """The rule called `name`, or None."""
        return next((r for r in self.rules if r.name == name), None)

    def constant(self, name):
        """The constant called `name`, or None."""
        return next((c for c in self.constants if c.name == name), None)

    def matching(self, pattern):
        """The rules about bytes whose names match a shell pattern."""
        return [r for r in self.rules if not r.runtime and fnmatchcase(r.name, pattern)]

    def conformance(self, chapter):
        """A chapter's section, or None."""
        return next((c for c in self.conformances if c.chapter == chapter), None)

    def judged(self, judging):
        """The rules that a section is about: all of the chapter, save what its conformance leaves
        out."""
        conformance = self.conformance(judging.chapter)
        left_out = {name for _, name in conformance.left_out} if conformance else set()
        return [r for r in self.rules
                if r.chapter == judging.chapter and not r.runtime and r.name not in left_out]

    def judged_by(self, judging):
        """What they are judged by, {name: as declared}; None without the chapter's formula."""
        conformance = self.conformance(judging.chapter)
        code = "".join(fence.code for fence in conformance.fences) if conformance else ""
        return parameters(f"{judging.chapter}_conforms", code) or None

    def scope(self, name):
        """The rules that a scope's name stands for, in the order of the spec."""
        patterns = [p for s in self.scopes if s.name == name for p in s.patterns]
        names = {r.name for p in patterns for r in self.matching(p)}
        return [r for r in self.rules if r.name in names]


def parameters(predicate, code):
    """The parameters of a predicate that is defined in the code: {name: as declared}."""
    found = re.search(rf"\bpredicate\s+{predicate}\s*(?:\{{\w+\}})?\s*\(([^)]*)\)", code)
    declared = [" ".join(p.split()) for p in found.group(1).split(",")] if found else []
    return {re.search(r"\w+$", p).group(): p for p in declared if p}


def upper_identifier(name):
    """A name in the form of a C constant."""
    return name.upper().replace("-", "_").replace(".", "_")
