# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares observations with the specification.

What is expected of a kernel follows from the rules that the core reports for the very bytes that
the kernel got. Under `kernel`, the keys `mount` and `access` list errors, one of which must be
seen, and `mount-may` lists some that may be seen; the key `sharing` says which files share. The
keys `behaviour` and `divergence` are for people: no verdict comes from their words. known.tsv
explains results that the other keys do not foresee; what the specification leaves open is counted
and compared with unspecified.tsv.
"""

import collections
import copy
import fnmatch
import os
import re

from cases import TOP
from tools import FEATURE_ISHARE_XATTRS

AGREES, UNSPECIFIED, EXPLAINED, DISAGREES = "agrees", "unspecified", "explained", "disagrees"
RANK = {AGREES: 0, UNSPECIFIED: 1, EXPLAINED: 2, DISAGREES: 3}
ACCEPTS, REFUSES, DIFFERS = "accepts", "refuses", "differs"
COLUMNS = ("core", "mount", "access", "sharing", "fsck", "dump")
LINUX_NAMES = {"EFSCORRUPTED": "EUCLEAN"}  # the kernel's name, and the C library's
ACL = "system.posix_acl_"
CLAIMS = {"digest MISMATCH": "fingerprint.digest"}  # fsck.erofs says that a rule is broken
TOOL_FAULTS = ("crash", "hang")
NOBODY_FAILS = "nobody fails on a vector of the kind either"

# Values of `sharing` that leave nothing open for a file whose fingerprint is not concerned.
HARMLESS = ("xattr", "unaffected", "other-content")
# Rules whose key `sharing` says what no image shows, and why.
UNSHOWN = {
    "inode.xattr-icount": "erofs-ishare finds no fingerprint of the file, either",
    "xattr.shared-count": "erofs-ishare finds no fingerprint of the file, either",
    "fingerprint.same-size": "Linux compares the sizes, and does not let the files share",
}
TOO_LARGE = "sb.block-size"     # for the page of the kernel under test
NAMED = {TOO_LARGE, *CLAIMS.values()}


def errors_in(value):
    """The errors that a `mount`, `mount-may` or `access` key lists."""
    return {LINUX_NAMES.get(word, word) for word in (value or "").split(", ") if word}


def worst(verdicts):
    """The worst of several verdicts."""
    return max(verdicts, key=RANK.get, default=AGREES)


def cell(value, verdict=AGREES, why="", points=()):
    """What one column says of one image. `points` are what an explanation has to be found for."""
    return ({"value": value, "verdict": verdict, "why": why}
            | ({"points": list(points)} if points else {}))


def point(direction, seen, rules):
    """One way in which a result is not as specified, and the rules that may be why."""
    return {"direction": direction, "seen": seen, "rules": sorted(r.name for r in rules)}


def disagreement(value, why, *points):
    """A cell that nothing explains as yet."""
    return cell(value, DISAGREES, why, points)


def reported(events):
    """The rules that the core reports for an image, errors first."""
    rank = ("error", "warning", "note")
    found = {e["rule"]: e["severity"] for e in events if e["type"] == "finding"}
    words = sorted(found, key=lambda r: (rank.index(found[r]), r))
    if any(e["type"] == "failure" for e in events):
        words.append("not judged")
    if any(e["type"] == "unexamined" for e in events):
        words.append("in part not examined")
    return ", ".join(words) or "conforms"


def errors_of(rules, key):
    """The errors that the rules' `kernel:` keys list, taken together."""
    return set().union(*(errors_in(r.kernel.get(key)) for r in rules))


def is_reported(rule, events):
    """Whether the rule is reported."""
    return any(e.get("rule") == rule for e in events)


def broken(events):
    """Whether a rule of severity error is reported."""
    return any(e["type"] == "finding" and e["severity"] == "error" for e in events)


def unexamined(events):
    """What the core could not examine, and why; empty if it examined everything."""
    reasons = {e["reason"] if e["type"] == "unexamined" else "not judged" for e in events
               if e["type"] in ("unexamined", "failure")}
    return "; ".join(sorted(reasons))


def has_key(inode, events, effects):
    """Whether the kernel finds the fingerprint of a regular file: True, False, or in words what
    leaves that open. `effects` has the key `sharing` of each rule."""
    about = [e for e in events if e.get("path") in (None, inode["path"])]
    doubt = unexamined(e for e in about if e["type"] == "unexamined"
                       and "content" not in e["reason"])
    if doubt:
        return doubt
    prints = [x for x in inode.get("xattrs", []) if x.get("fingerprint")]
    errors = [e for e in events if e["type"] == "finding" and e["severity"] == "error"]
    if any(effects[e["rule"]] == "none" for e in errors):
        return False
    errors = [e for e in errors if e in about]
    if any(effects[e["rule"]] == "file" and e.get("path") for e in errors):
        return False
    hidden = [e for e in errors if effects[e["rule"]] == "xattr"]
    if any(e["message"].endswith(x["name"]) for e in hidden for x in prints):
        return False
    behind = [e for e in errors if effects[e["rule"]] == "later-xattrs" and is_behind(e, prints)]
    doubted = {e["rule"] for e in errors if effects[e["rule"]] not in HARMLESS and e not in behind}
    return "; ".join(sorted(doubted)) or bool(prints)


def is_behind(event, prints):
    """Whether an entry that cannot be read comes after the fingerprint, in the xattr area where
    that is found."""
    return event["place"]["space"] == "image" and \
        any(not x["shared"] and x["offset"] < event["place"]["offset"] for x in prints)


def number_of(inode):
    """The inode number that stat() returns: where it has room, the nid; of one in the metabox, bit
    63 becomes bit 31."""
    nid = int(str(inode["nid"]), 0)
    return nid & 0x7fffffff | 0x80000000 if nid >> 63 else nid


def should_share(events, dump, shared, effects):
    """Inode number -> True, False, or words (see has_key) for each regular file, from the decoded
    structures. `shared` are those that do: where files of different size or data path have one
    fingerprint, the first one read decides."""
    fields = (dump or {}).get("superblock", {}).get("fields", {})
    if fields and not fields.get("feature_compat", 0) & FEATURE_ISHARE_XATTRS:
        return collections.defaultdict(lambda: False)
    inodes = [i for i in (dump or {}).get("inodes", []) if i.get("type") == "regular file"]
    result = collections.defaultdict(lambda: "the file is not listed by erofs-ishare",
                                     {number_of(i): has_key(i, events, effects) for i in inodes})
    by_value = {}
    for inode in inodes:
        if result[number_of(inode)] is not True:
            continue
        for value in {x["value"] for x in inode["xattrs"] if x.get("fingerprint")}:
            kind = (inode["size"], inode["layout"].startswith("compressed"))
            by_value.setdefault(value, {}).setdefault(kind, set()).add(number_of(inode))
    for kinds in (k for k in by_value.values() if len(k) > 1):
        first = next((nids for nids in kinds.values() if nids & shared), set())
        result |= {nid: nid in first for nids in kinds.values() for nid in nids}
    return result


def table(lines, fields):
    """The lines of a table, split; each must have so many fields, and none of them empty."""
    entries = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    for entry in entries:
        if len(entry) != fields or not all(entry):
            raise ValueError(f"{entry} has not {fields} fields")
    return entries


class Known:
    """known.tsv: what is not as specified, and why; a rule's or a vector's name, and exactly what
    is seen."""

    def __init__(self, lines):
        self.entries = table(lines, 5)
        self.used = set()
        for entry in self.entries:
            if entry[1] not in COLUMNS or entry[2] not in (ACCEPTS, REFUSES, DIFFERS):
                raise ValueError(f"known.tsv: {entry} is not name, column, direction, seen, why")
            for finding in re.findall(r"kernel/findings/[a-z0-9-]+", entry[4]):
                if not os.path.isdir(f"{TOP}/{finding}"):
                    raise ValueError(f"known.tsv: there is no {finding}")

    def fitting(self, name, column, missing):
        """The numbers of the entries that explain a point."""
        return [n for n, (on, where, direction, seen, _) in enumerate(self.entries)
                if (where, direction, seen) == (column, missing["direction"], missing["seen"])
                and (on in missing["rules"] or fnmatch.fnmatchcase(name, on))]

    def explain(self, name, cells):
        """Cells of which each point is explained become EXPLAINED."""
        for column, judged in cells.items():
            found = [self.fitting(name, column, p) for p in judged.get("points", ())]
            if found and all(found):
                numbers = sorted(set.intersection(*map(set, found)) or set().union(*found))
                self.used.update(numbers)
                reasons = dict.fromkeys(self.entries[n][4] for n in numbers)
                cells[column] = judged | {"verdict": EXPLAINED,
                                          "why": f"{judged['why']}: {' '.join(reasons)}"}
        return cells

    def stale(self):
        """Entries that nothing needs."""
        return ["\t".join(entry[:4]) for number, entry in enumerate(self.entries)
                if number not in self.used]


class Open:
    """unspecified.tsv: what the specification leaves open, and of how many images. It is counted so
    that nothing else becomes "not specified" unnoticed, say because erofs-ishare stops to examine
    something."""

    def __init__(self, lines):
        self.expected, self.seen = {}, collections.Counter()
        for column, why, *numbers in table(lines, 4):
            if column not in COLUMNS or (column, why) in self.expected:
                raise ValueError(f"unspecified.tsv: {column}, {why}: there is no such column, or a "
                                 "line before")
            self.expected[column, why] = [int(n) for n in numbers]

    def limit(self, case, cells):
        """Cells with a reason that has no line become DISAGREES; the others are counted."""
        for column, judged in cells.items():
            if judged["verdict"] != UNSPECIFIED:
                continue
            if (column, judged["why"]) in self.expected:
                self.seen[column, judged["why"], case.kind == "sweep"] += 1
            else:
                cells[column] = disagreement(judged["value"],
                                             f"unspecified.tsv does not have: {judged['why']}")
        return cells

    def wrong(self, swept):
        """Lines with another number than what was seen; of the changes of the sweep only if that
        was run."""
        return [f"{column}\t{why}: {self.seen[column, why, sweep]} {what} instead of {number}"
                for (column, why), numbers in self.expected.items()
                for sweep, what, number in zip((False, True)[:1 + swept],
                                               ("images", "changes"), numbers)
                if self.seen[column, why, sweep] != number]


class Judge:
    """Knows the specification."""

    def __init__(self, spec):
        self.spec = spec
        self.effects = {r.name: r.sharing for r in spec.rules}
        missing = NAMED - {r.name for r in spec.rules}
        if missing:
            raise ValueError(f"judge.py names what is no rule: {', '.join(sorted(missing))}")

    def rules(self, events, case):
        """The rules to ask about: those reported, and the vector's own."""
        names = {e["rule"] for e in events if e["type"] == "finding"}
        return [r for r in self.spec.rules if r.name in names or r.name == case.rule]

    # ---- core ----

    def core(self, case, events):
        """Is the vector's rule reported, or not, as its kind says? And nothing but what may go with
        it?"""
        found = {e["rule"]: e["severity"] for e in events if e["type"] == "finding"}
        errors = {r for r, severity in found.items() if severity == "error"}
        value, own = reported(events), self.rules(events, case)
        if case.kind == "fails" and case.rule not in found:
            return disagreement(value, f"{case.rule} is broken and not reported",
                                point(ACCEPTS, value, own))
        if case.kind == "holds" and case.rule in found:
            return disagreement(value, f"{case.rule} holds and is reported",
                                point(REFUSES, value, own))
        if case.kind == "image" and errors - {TOO_LARGE}:
            return disagreement(value, "a rule is broken, though mkfs.erofs made the image",
                                point(REFUSES, value, own))
        return cell(value)

    # ---- the kernel ----

    def kernel(self, case, events, dump, seen):
        """Cells for mount, access and sharing, from what the core reports and decodes."""
        rules = self.rules(events, case)
        if seen.get("fault"):
            return self.fault(rules, seen)
        names = {e["rule"] for e in events if e["type"] == "finding"}
        reports = [r for r in rules if r.name in names]
        cells = {"mount": self.mount(reports, rules, events, seen),
                 "access": self.access(case, reports, rules, events, dump, seen),
                 "sharing": self.sharing(rules, events, dump, seen)}
        if seen.get("alarm"):
            access = cells["access"]
            warning = "warning in the log"
            cells["access"] = disagreement(f"{access['value']}, {warning}",
                                           "the kernel log has a warning or a bug",
                                           *access.get("points", ()),
                                           point(DIFFERS, warning, rules))
        elif case.kind == "either":
            for name, judged in cells.items():
                if judged["verdict"] == DISAGREES:
                    cells[name] = cell(judged["value"], UNSPECIFIED, NOBODY_FAILS)
        return cells

    @staticmethod
    def fault(rules, seen):
        """The guest died of this image, in the last step that it announced."""
        alone = "" if seen["alone"] != "survives" else ", only after other images"
        fault = disagreement(seen["fault"] + alone, "no image may do this to a kernel",
                             point(DIFFERS, seen["fault"], rules))
        return {"mount": cell("-" if seen["at"] == "sharing" else "mounts"), "access": cell("-"),
                "sharing": cell("-"),
                seen["at"]: fault}

    @staticmethod
    def mount(reports, rules, events, seen):
        """The error of the mount, or that it succeeds. It reads the root directory's inode."""
        at_root = {e["rule"] for e in events if e["type"] == "finding" and e.get("path") == "/"}
        expected = errors_of(reports, "mount")
        root = errors_of([r for r in reports if r.name in at_root], "access")
        error = seen["mount"]
        value = error or "mounts"
        other = seen.get("share_mount", error)
        if other != error:
            return disagreement(f"{value}; with inode_share {other or 'mounts'}",
                                "the options make a difference",
                                point(DIFFERS, other or "mounts", rules))
        if (error in expected | errors_of(reports, "mount-may") | root
                or (not error and not expected)):
            return cell(value)
        if not error:
            return disagreement(value, f"should be refused with {' or '.join(sorted(expected))}",
                                *(point(ACCEPTS, value, [r]) for r in reports
                                  if r.kernel.get("mount")))
        if unexamined(events):
            return cell(value, UNSPECIFIED, unexamined(events))
        return disagreement(value, "no broken rule has this consequence",
                            point(DIFFERS if broken(events) else REFUSES, error, rules))

    def access(self, case, reports, rules, events, dump, seen):
        """The errors of walking, reading, and looking at xattrs."""
        if seen["mount"]:
            return cell("-")
        errors = {e[3] for e in seen["errors"]}
        value = ", ".join(sorted(errors)) or "reads"
        own = [r for r in reports if r.name == case.rule and r.kernel.get("access")]
        quiet = seen.get("private") and self.effects.get(case.rule) in ("file", "xattr")
        if case.kind == "fails" and own and not errors and not quiet:
            return disagreement(value, f"{' or '.join(sorted(errors_of(own, 'access')))} is "
                                       "not seen",
                                point(ACCEPTS, value, own))
        surplus = errors - errors_of(reports, "access")
        if not surplus:
            return cell(value)
        if unexamined(events):
            return cell(value, UNSPECIFIED, unexamined(events))
        compressed = {i["path"] for i in (dump or {}).get("inodes", [])
                      if i.get("layout", "").startswith("compressed")}
        surplus &= {e[3] for e in seen["errors"] if e[0] not in compressed
                    and not e[2].startswith(ACL)}
        if not surplus:
            return cell(value, UNSPECIFIED, "compression or POSIX ACLs")
        direction = DIFFERS if broken(events) else REFUSES
        return disagreement(value, f"no broken rule leads to {', '.join(sorted(surplus))}",
                            *(point(direction, e, rules) for e in sorted(surplus)))

    def sharing(self, rules, events, dump, seen):
        """Which files share: as their fingerprints say?"""
        if seen["mount"] or seen.get("share_mount"):
            return cell("-")
        shared, private = set(seen["shared"]), set(seen["private"])
        value = f"{len(shared)} of {len(shared | private)}" if shared | private else "no file"
        expected = should_share(events, dump, {seen["nids"][p] for p in shared}, self.effects)
        expected = {path: expected[nid] for path, nid in seen["nids"].items()}
        for files, wanted, words in ((shared, False, "should not share"),
                                     (private, True, "should share")):
            wrong = sorted(p for p in files if expected[p] is wanted)
            if wrong:
                return disagreement(value, f"{', '.join(wrong)} {words}",
                                    point(DIFFERS, "does not share" if wanted else "shares", rules))
        if seen["other_data"]:
            why = f"{', '.join(seen['other_data'])} shows other data when shared"
            lies = {e["rule"] for e in events
                    if e["type"] == "finding" and self.effects[e["rule"]] == "other-content"}
            if lies:
                return cell(value + ", other data", AGREES,
                            f"{why}, as {' and '.join(sorted(lies))} says")
            if unexamined(events):
                return cell(value + ", other data", UNSPECIFIED,
                            f"other data; {unexamined(events)}")
            return disagreement(value + ", other data", why, point(DIFFERS, "other data", rules))
        doubts = {expected[p] for p in shared | private} - {True, False}
        if doubts:
            return cell(value, UNSPECIFIED, "; ".join(sorted(doubts)))
        return cell(value)

    def unshown(self, results):
        """What the key `sharing` of a rule says though nothing that was seen depends on it; and
        exceptions that are none. A result is (case, events, dump, seen)."""
        for rule, effect in self.effects.items():
            if effect in (None, "unaffected", "unknown"):
                continue
            other = copy.copy(self)
            other.effects = self.effects | {rule: "unaffected"}
            shown = any(self.kernel(*result)["sharing"] != other.kernel(*result)["sharing"]
                        for result in results if is_reported(rule, result[1]))
            if shown == (rule in UNSHOWN):
                yield (f"{rule}, sharing: {effect}: something shows that, though UNSHOWN says no"
                       if shown else f"{rule}, sharing: {effect}: nothing shows that")

    # ---- erofs-utils ----

    def fsck(self, case, events, seen):
        """Does fsck.erofs refuse what breaks a rule of severity error, and nothing else?"""
        rules = self.rules(events, case) + [self.spec.rule(r) for words, r in CLAIMS.items()
                                            if words in seen["said"]]
        value = seen["value"]
        if value in TOOL_FAULTS:
            return self.tool_fault(rules, seen)
        if broken(events) == (value == "refuses"):
            return cell(value)
        if case.kind == "either":
            return cell(value, UNSPECIFIED, NOBODY_FAILS)
        if broken(events):
            errors = {e["rule"] for e in events if e["type"] == "finding"
                      and e["severity"] == "error"}
            return disagreement(value, "passes what breaks a rule",
                                *(point(ACCEPTS, value, [r]) for r in rules if r.name in errors))
        if unexamined(events):
            return cell(value, UNSPECIFIED, unexamined(events))
        return disagreement(value, "refuses what breaks no rule", point(REFUSES, value, rules))

    def dump(self, case, events, seen):
        """dump.erofs judges nothing; it must survive, and show what breaks no rule."""
        rules, value = self.rules(events, case), seen["value"]
        if value in TOOL_FAULTS:
            return self.tool_fault(rules, seen)
        if value != "refuses":
            return cell("shows")
        if broken(events):
            return cell(value)
        if unexamined(events):
            return cell(value, UNSPECIFIED, unexamined(events))
        return disagreement(value, "refuses what breaks no rule", point(REFUSES, value, rules))

    @staticmethod
    def tool_fault(rules, seen):
        """A crash, or no end."""
        value = f"{seen['value']} ({seen['status']})" if seen["value"] == "crash" else seen["value"]
        return disagreement(value, "no image may do this to a program",
                            point(DIFFERS, seen["value"], rules))
