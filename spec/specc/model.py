# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What a specification consists of, and the rules that hold across chapters.

Everything carries its Place, so that whatever is wrong can be said with file and line.
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
        """The names of the predicate's parameters, in their order."""
        found = self.predicate and re.search(
            rf"\bpredicate\s+{self.identifier}\s*(?:\{{\w+\}})?\s*\(([^)]*)\)", self.predicate.code)
        return re.findall(r"(\w+)\s*(?:,|$)", found.group(1)) if found else []

    @property
    def predicates(self):
        """The names under which a formula can state the rule: its predicate, and one that this
        does no more than apply, `predicate RULE(...) = NAME(...);`."""
        applied = self.predicate and re.search(
            rf"\bpredicate\s+{self.identifier}\s*(?:\{{\w+\}})?\s*\([^)]*\)\s*="
            r"\s*(\w+)\s*\([^()]*\)\s*;", self.predicate.code)
        return {self.identifier} | ({applied.group(1)} if applied else set())

    def key_place(self, key):
        """Where a key of the yaml fence stands; the fence, if the key is missing."""
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
    constants: list = field(default_factory=list)
    fences: list = field(default_factory=list)
    scopes: list = field(default_factory=list)
    rules: list = field(default_factory=list)
    conformances: list = field(default_factory=list)
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

    def scope(self, name):
        """The rules that a scope's name stands for, in the order of the spec."""
        patterns = [p for s in self.scopes if s.name == name for p in s.patterns]
        names = {r.name for p in patterns for r in self.matching(p)}
        return [r for r in self.rules if r.name in names]


def check(spec, errors):
    """What no chapter can know alone, and what a structure or rule owes."""
    check_duplicates("struct", spec.structs, errors)
    check_duplicates("constant", spec.constants, errors)
    check_duplicates("rule", spec.rules, errors)
    check_scopes(spec, errors)
    check_definitions(spec, errors)
    check_identifiers(spec, errors)
    for struct in spec.structs:
        check_struct(struct, errors)
    for rule in spec.rules:
        check_rule(spec, rule, errors)
    demanded = check_formulas(spec, errors)
    spec.demanded = demanded or set()
    for conformance in spec.conformances:
        check_conformance(spec, conformance, demanded, errors)


def check_duplicates(kind, things, errors):
    """Each name once in its kind."""
    first = {}
    for thing in things:
        if thing.name in first:
            errors.add(thing.place, f"duplicate {kind} {thing.name}, first at "
                       f"{at(first[thing.name])}")
        first.setdefault(thing.name, thing.place)


def check_definitions(spec, errors):
    """Each ACSL name once, generated ones included."""
    first = {name: None for name in READERS}
    for struct in spec.structs:
        first.setdefault(f"{struct.name}_at", struct.place)
    for fence in spec.fences:
        for place, name in fence.names:
            if name in first:
                where = f"first at {at(first[name])}" if first[name] else "specc defines it"
                errors.add(place, f"duplicate predicate or logic function {name}, {where}")
            first.setdefault(name, place)


def upper_identifier(name):
    """A name in the form of a C constant."""
    return name.upper().replace("-", "_").replace(".", "_")


def check_scopes(spec, errors):
    """Each scope once, and no pattern that matches nothing."""
    check_duplicates("scope", spec.scopes, errors)
    for scope in spec.scopes:
        for pattern in scope.patterns:
            if not spec.matching(pattern):
                errors.add(scope.place, f"scope {scope.name}: no rule about bytes matches "
                           f"{pattern}")


def identifiers(spec):
    """Every C identifier that specc makes, as (identifier, what it stands for, place)."""
    for c in spec.constants:
        yield f"ISHARE_{c.name}", f"constant {c.name}", c.place
    for s in spec.structs:
        upper = s.name.upper()
        yield f"ISHARE_{upper}_SIZE", f"size of struct {s.name}", s.place
        yield f"ISHARE_STRUCT_{upper}", f"index of struct {s.name}", s.place
        for f in s.fields:
            yield f"ISHARE_{upper}_{f.name.upper()}_OFFSET", f"field {s.name}.{f.name}", f.place
            yield f"ISHARE_{upper}_{f.name.upper()}_WIDTH", f"field {s.name}.{f.name}", f.place
    for s in spec.scopes:
        yield f"ISHARE_SCOPE_{upper_identifier(s.name)}", f"scope {s.name}", s.place
    for r in spec.rules:
        yield f"ISHARE_RULE_{r.identifier.upper()}", f"rule {r.name}", r.place


def check_identifiers(spec, errors):
    """Two names that become one C identifier would silently be one thing in C."""
    first = {name: ("a name of rules.h", None) for name in
             ("ISHARE_ERROR", "ISHARE_WARNING", "ISHARE_NOTE", "ISHARE_RULE_COUNT",
              "ISHARE_STRUCT_COUNT", "ISHARE_SCOPE_NOTHING", "ISHARE_SCOPE_COUNT")}
    first.update({f"ISHARE_HARM_{upper_identifier(h)}": ("a name of rules.h", None)
                  for h in HARMS})
    for identifier, what, place in identifiers(spec):
        before, before_place = first.setdefault(identifier, (what, place))
        if before != what:
            where = f", at {at(before_place)}" if before_place else ""
            errors.add(place, f"{what} and {before} both become {identifier}{where}")


def check_struct(struct, errors):
    """No hole, no overlap, and the fields end where the stated size says."""
    if struct.size is None:
        errors.add(struct.place, f"struct {struct.name} states no size (`Size: N bytes`)")
    if not struct.fields:
        errors.add(struct.place, f"struct {struct.name} has no field table")
        return
    end, names = 0, set()
    for f in struct.fields:
        if f.name in names:
            errors.add(f.place, f"duplicate field {struct.name}.{f.name}")
        names.add(f.name)
        if f.offset > end:
            errors.add(f.place, f"hole in struct {struct.name}: {f.name} is at {f.offset}, "
                       f"the field before it ends at {end}")
        elif f.offset < end:
            errors.add(f.place, f"overlap in struct {struct.name}: {f.name} is at {f.offset}, "
                       f"the field before it ends at {end}")
        end = f.offset + f.width
    if struct.size is not None and end != struct.size:
        errors.add(struct.place, f"struct {struct.name} is said to have {struct.size} bytes, "
                   f"its fields have {end}")


def check_rule(spec, rule, errors):
    """A rule's obligations, as far as the spec alone can meet them."""
    if rule.yaml_place is None:
        return  # said where the heading was read
    if rule.runtime:
        if not rule.established_by:
            errors.add(rule.place, f"runtime rule {rule.name} has no established-by")
        if rule.vectors:
            errors.add(rule.yaml_place, f"runtime rule {rule.name} cannot have vectors")
    else:
        check_byte_rule(rule, errors)
    if rule.severity:
        check_hides(spec, rule, errors)
        check_sharing(rule, errors)
    for place, name in zip(rule.also_places, rule.also):
        if not spec.rule(name):
            errors.add(place, f"also: there is no rule {name}")


def check_byte_rule(rule, errors):
    """A rule about bytes owes a predicate, a kernel consequence and vectors both ways."""
    if rule.predicate is None:
        errors.add(rule.place, f"rule {rule.name} has no acsl fence with "
                   f"predicate {rule.identifier}")
    if not any(rule.kernel.get(key) for key in ("mount", "access", "behaviour")):
        errors.add(rule.yaml_place, f"rule {rule.name} states no kernel consequence "
                   "(kernel: mount, access or behaviour)")
    for kind in ("holds", "fails"):
        excused = rule.divergence and rule.of_kind("either")
        if not rule.of_kind(kind) and not excused:
            errors.add(rule.yaml_place, f"rule {rule.name} has no {kind}-vector")
    if rule.of_kind("either") and not rule.divergence:
        errors.add(rule.of_kind("either")[0].place,
                   f"rule {rule.name} has either-vectors, but no divergence")


def check_hides(spec, rule, errors):
    """Rules of severity error about bytes, and no others, say what a violation hides."""
    scopes = [HIDES_NOTHING] + [s.name for s in spec.scopes]
    if not rule.breakable:
        if rule.hides:
            errors.add(rule.key_place("hides"), f"rule {rule.name}: only a rule of severity error "
                       "about bytes has hides")
    elif "hides" not in rule.key_places:
        errors.add(rule.yaml_place, f"rule {rule.name} does not say what a violation hides "
                   f"(hides: {', '.join(scopes)})")
    elif rule.hides and rule.hides not in scopes:
        errors.add(rule.key_place("hides"), f"rule {rule.name}: hides: {rule.hides} is none of "
                   f"{', '.join(scopes)}")


def check_sharing(rule, errors):
    """So do they with sharing, save where the image is not mounted."""
    needed = rule.breakable and not rule.kernel.get("mount")
    if needed and "sharing" not in rule.key_places:
        errors.add(rule.yaml_place, f"rule {rule.name} does not say what a violation does to "
                   f"sharing (sharing: {', '.join(SHARING)})")
    if rule.sharing and not needed:
        errors.add(rule.key_place("sharing"), f"rule {rule.name}: only a rule of severity error "
                   "about bytes that does not prevent the mount has sharing")


def conjuncts(formula):
    """(names demanded, names that conditions have) of a formula: a conjunction of applied
    predicates, for all of some things or under a condition, maybe; raises ValueError with what is
    none."""
    formula = re.sub(r"^\s*\\forall\s[^;]*;", "", formula)
    *conditions, conjunction = formula.split("==>")
    for condition in conditions:
        if re.search(r"\\true|\\false|\|\|", condition):
            raise ValueError(" ".join(condition.split()))
    demanded, depth, operand = [], 0, ""
    for part in re.split(r"(&&|[()])", conjunction) + ["&&"]:
        depth += (part == "(") - (part == ")")
        if part == "&&" and depth == 0:
            match = re.fullmatch(r"\s*(\w+)\s*\(([^()]*|\([^()]*\))*\)\s*", operand)
            if not match:
                raise ValueError(" ".join(operand.split()))
            demanded.append(match.group(1))
            operand = ""
        else:
            operand += part
    return demanded, re.findall(r"\b(\w+)\s*\(", " ".join(conditions))


def check_formulas(spec, errors):
    """The names that the one formula of the whole specification demands, or None if it cannot be
    read."""
    formulas, uses = {}, {}
    for conformance in spec.conformances:
        formulas.update(conformance.formulas())
    last = list(formulas)[-1:]
    demanded, todo = set(), list(last)
    while todo:
        name = todo.pop()
        try:
            found, conditions = conjuncts(formulas[name][1])
        except ValueError as operand:
            errors.add(formulas[name][0], f"conformance: {name} is no conjunction of rules, under "
                                          "a condition if "
                       f"need be: `{operand}`")
            return None
        uses[name] = found + conditions
        demanded.update(found)
        todo += [n for n in found if n in formulas and n not in uses]
    used = {n for names in uses.values() for n in names} | set(last)
    unused = [name for name in formulas if name not in used]
    for name in unused:
        errors.add(formulas[name][0], f"conformance: {name} is not demanded by {last[0]}, the "
                                      "last formula")
    rules = {n for r in spec.rules if r.predicate for n in r.predicates}
    for name in sorted(demanded - rules - set(formulas)):
        errors.add(formulas[last[0]][0], f"conformance demands {name}, which is no rule")
    return None if unused else demanded


def check_conformance(spec, conformance, formula, errors):
    """All rules of severity error in the chapter are in the formula or left out; no others are."""
    if not conformance.fences:
        errors.add(conformance.place, "conformance without an acsl fence")
    if formula is None:
        return  # said where the formula is
    left_out = {name for _, name in conformance.left_out}
    rules = [r for r in spec.rules if r.chapter == conformance.chapter and not r.runtime]
    here = f"conformance, at {at(conformance.place)}"
    for rule in rules:
        demanded = bool(rule.predicates & formula)
        if rule.severity == "error" and not demanded and rule.name not in left_out:
            errors.add(rule.place, f"rule {rule.name} has severity error, but is neither demanded "
                       f"nor left out by {here}")
        if demanded and rule.severity in SEVERITIES[1:]:
            errors.add(rule.place, f"rule {rule.name} has severity {rule.severity}, but is "
                       f"demanded by {here}")
    errors_here = {r.name: r for r in rules if r.severity == "error"}
    for place, name in conformance.left_out:
        if name not in errors_here:
            errors.add(place, f"conformance leaves out {name}, but this chapter has no such rule "
                       "of severity error")
        elif errors_here[name].predicates & formula:
            errors.add(place, f"conformance leaves out {name}, but demands it")


def at(place):
    """A place as FILE:LINE."""
    return f"{place.file}:{place.line}"
