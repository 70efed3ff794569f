# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What must hold across chapters, and what the spec alone requires of each structure and rule."""

import re

from .model import (HARMS, HIDES_NOTHING, READERS, SEVERITIES, SHARING, upper_identifier)


def check(spec, errors):
    """What no chapter can know alone, and what a structure or rule must have."""
    check_duplicates("struct", [*spec.structs, *spec.declarations], errors)
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
    for judging in spec.judgings:
        check_judging(spec, judging, errors)


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
    if rule.severity == "error" and not re.search(r"\bMUST\b", rule.requirement or "MUST"):
        errors.add(rule.key_place("severity"), f"rule {rule.name} has severity error, but no MUST "
                   "in its normative paragraph")
    if rule.runtime:
        if not rule.established_by:
            errors.add(rule.place, f"runtime rule {rule.name} has no established-by")
        if rule.vectors:
            errors.add(rule.yaml_place, f"runtime rule {rule.name} cannot have vectors")
    if rule.severity:
        check_hides(spec, rule, errors)
        check_sharing(rule, errors)
    if not rule.runtime:
        check_byte_rule(rule, errors)
    for place, name in zip(rule.also_places, rule.also):
        if not spec.rule(name):
            errors.add(place, f"also: there is no rule {name}")


def check_byte_rule(rule, errors):
    """A rule about bytes must have a predicate, a kernel consequence and vectors both ways."""
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
    demanded, todo = {}, list(last)
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
        demanded.update((n, formulas[name][0]) for n in found)
        todo += [n for n in found if n in formulas and n not in uses]
    used = {n for names in uses.values() for n in names} | set(last)
    unused = [name for name in formulas if name not in used]
    for name in unused:
        errors.add(formulas[name][0], f"conformance: {name} is not demanded by {last[0]}, the "
                                      "last formula")
    # A rule without its predicate is said where the rule is.
    rules = {n for r in spec.rules for n in (r.predicates if r.predicate else [r.identifier])}
    for name in sorted(set(demanded) - rules - set(formulas)):
        errors.add(demanded[name], f"conformance demands {name}, which is no rule")
    return None if unused else set(demanded)


def check_conformance(spec, conformance, formula, errors):
    """All rules of severity error in the chapter are in the formula or left out; no others are."""
    if not conformance.fences:
        errors.add(conformance.place, "conformance without an acsl fence")
    if formula is None:
        return  # said where the formula is
    left_out = {name for _, name in conformance.left_out}
    rules = [r for r in spec.rules if r.chapter == conformance.chapter and not r.runtime]
    for rule in rules:
        demanded = bool(rule.predicates & formula)
        if rule.severity == "error" and not demanded and rule.name not in left_out:
            errors.add(conformance.place, f"rule {rule.name} has severity error, but is neither "
                       "demanded nor left out by conformance")
        if demanded and rule.severity in SEVERITIES[1:]:
            errors.add(rule.place, f"rule {rule.name} has severity {rule.severity}, but is "
                       f"demanded by conformance, at {at(conformance.place)}")
    errors_here = {r.name: r for r in rules if r.severity == "error"}
    for place, name in conformance.left_out:
        if name not in errors_here:
            errors.add(place, f"conformance leaves out {name}, but this chapter has no such rule "
                       "of severity error")
        elif errors_here[name].predicates & formula:
            errors.add(place, f"conformance leaves out {name}, but demands it")


def check_judging(spec, judging, errors):
    """Each rule that is judged with the others is judged by the same, and at some time."""
    parameters = spec.judged_by(judging)
    if parameters is None:
        errors.add(judging.place, f"judging without {judging.chapter}_conforms, a formula of the "
                   "chapter's conformance: its parameters are what rules are judged by")
        return
    for rule in spec.judged(judging):
        if judging.condition(rule) is None:
            errors.add(rule.place, f"rule {rule.name}: no row says when it is judged, at "
                       f"{at(judging.place)}")
        for name, declared in rule.parameters.items():
            if parameters.get(name) != declared:
                errors.add(rule.place, f"rule {rule.name} is about `{declared}`, which "
                           f"{judging.chapter}_conforms is not")
    for place, patterns, _ in judging.rows:
        for pattern in patterns:
            if not spec.matching(pattern):
                errors.add(place, f"judging: no rule about bytes matches {pattern}")


def at(place):
    """A place as FILE:LINE."""
    return f"{place.file}:{place.line}"
