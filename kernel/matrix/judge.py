# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds what was observed against what the specification says.

What is expected of a kernel follows from the rules that the core reports for the very bytes that the kernel got, and
from what these rules' `kernel:` keys say: `mount` and `access` name errors, one of which must be seen; errors that only
`behaviour` or `divergence` name may be seen. What else is seen is a disagreement.

A verdict is AGREES, EXPLAINED (the specification describes it, as a behaviour or divergence), or DISAGREES.
"""

import errno
import fnmatch
import re

from tools import FEATURE_ISHARE_XATTRS

AGREES, EXPLAINED, DISAGREES = "agrees", "explained", "disagrees"
RANK = {AGREES: 0, EXPLAINED: 1, DISAGREES: 2}
OTHER_NAMES = {"EFSCORRUPTED": "EUCLEAN", "ENOTSUP": "EOPNOTSUPP", "ENOATTR": "ENODATA"}
ERRORS = ({n for n in dir(errno) if n[0] == "E"} | set(OTHER_NAMES)) - {"EROFS"}  # that is a filesystem here
ACL = "system.posix_acl_"
SHARES_NOT = re.compile(r"\bdoes not share\b")
KERNELS = re.compile(r"\b(Linux|kernels?)\b", re.I)
UTILS = re.compile(r"\b(fsck\.erofs|dump\.erofs|erofs-utils)\b")
FAULTS = {"panic": re.compile(r"\bpanics?\b"), "hang": re.compile(r"\b(hangs?|never ends?|for ever)\b")}
CLAIMS = {"digest MISMATCH": "fingerprint.digest"}  # fsck.erofs says that a rule is broken
TOOL_FAULTS = {"crash": re.compile(r"\bcrash(es)?\b"), "hang": re.compile(r"\b(hangs?|never ends?|for as long as)\b")}


def errors_in(text):
    """The error numbers that a text names."""
    words = set(re.findall(r"\bE[A-Z0-9]+\b", text or "")) & ERRORS
    return {OTHER_NAMES.get(w, w) for w in words}


def worst(verdicts):
    """Of several verdicts."""
    return max(verdicts, key=RANK.get, default=AGREES)


def cell(value, verdict=AGREES, why=""):
    """What one column says of one image."""
    return {"value": value, "verdict": verdict, "why": why}


def reported(events):
    """What the core says of an image, errors first."""
    rank = ("error", "warning", "note")
    found = {e["rule"]: e["severity"] for e in events if e["type"] == "finding"}
    words = sorted(found, key=lambda r: (rank.index(found[r]), r))
    if any(e["type"] == "failure" for e in events):
        words.append("not judged")
    if any(e["type"] == "unexamined" for e in events):
        words.append("in part not examined")
    return ", ".join(words) or "conforms"


class Words:
    """What the rules in question say about a kernel, taken together."""

    def __init__(self, rules):
        self.rules = rules
        self.mount = self.of("mount")
        self.access = self.of("access")
        self.described = self.of("behaviour").union(*(errors_in(r.divergence) for r in rules))

    def of(self, key):
        """The errors that a key names."""
        return set().union(*(errors_in(r.kernel.get(key)) for r in self.rules))

    def describes(self, pattern):
        """Whether a rule says something of this kind."""
        return any(pattern.search(t) for r in self.rules for t in (*r.kernel.values(), r.divergence or ""))


class Known:
    """Disagreements on which there is no more to say: a table of image, column, what is seen, and why."""

    def __init__(self, lines):
        self.entries = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
        self.used = set()

    def explain(self, name, cells):
        """Cells that the table explains become EXPLAINED."""
        for number, (image, column, value, why) in enumerate(self.entries):
            judged = cells.get(column)
            if judged and fnmatch.fnmatchcase(name, image) and judged["value"] == value and judged["verdict"] == DISAGREES:
                cells[column] = cell(value, EXPLAINED, why)
                self.used.add(number)
        return cells

    def stale(self):
        """Entries that nothing needs."""
        return [entry[0] for number, entry in enumerate(self.entries) if number not in self.used]


class Judge:
    """Knows the specification."""

    def __init__(self, spec):
        self.spec = spec

    def rules(self, events, case):
        """The rules to ask about: those reported, and the vector's own."""
        names = {e["rule"] for e in events if e["type"] == "finding"}
        return [r for r in self.spec.rules if r.name in names or r.name == case.rule]

    # ---- core ----

    def core(self, case, events):
        """Is the vector's rule reported, or not, as its kind says? And nothing but what may go with it?"""
        found = {e["rule"]: e["severity"] for e in events if e["type"] == "finding"}
        errors = {r for r, severity in found.items() if severity == "error"}
        value = reported(events)
        if case.kind == "fails" and case.rule not in found:
            return cell(value, DISAGREES, f"{case.rule} is broken and not reported")
        if case.kind == "holds" and case.rule in found:
            return cell(value, DISAGREES, f"{case.rule} holds and is reported")
        if case.kind == "image" and errors - {"sb.block-size"}:
            return cell(value, DISAGREES, "a rule is broken, though mkfs.erofs made the image")
        return cell(value)

    # ---- the kernel ----

    def kernel(self, case, events, dump, seen):
        """Cells for mount, access and sharing, from what the core reports and decodes."""
        files = self.should_share(dump, events)
        compressed = {i["path"] for i in (dump or {}).get("inodes", []) if i.get("layout", "").startswith("compressed")}
        words = Words(self.rules(events, case))
        broken = Words([r for r in words.rules if any(e.get("rule") == r.name for e in events)])
        if seen.get("fault"):
            return self.fault(words, seen)
        verdicts = {"mount": self.mount(broken, words, events, seen), "access": self.access(case, broken, words, events, seen, compressed),
                    "sharing": self.sharing(words, events, files, seen)}
        if seen.get("alarm"):
            verdicts["access"] = cell(verdicts["access"]["value"] + ", warning in the log", DISAGREES,
                                      "the kernel log has a warning or a report of a bug")
        if case.kind == "either":
            for name, judged in verdicts.items():
                if judged["verdict"] == DISAGREES:
                    verdicts[name] = cell(judged["value"], EXPLAINED, f"nobody fails on this vector; {judged['why']}")
        return verdicts

    @staticmethod
    def fault(words, seen):
        """The guest died of this image."""
        known = words.describes(FAULTS[seen["fault"]])
        alone = "" if seen["alone"] != "survives" else ", only after other images"
        why = "the specification describes it" if known else "no image may do this to a kernel"
        fault = cell(seen["fault"] + alone, EXPLAINED if known else DISAGREES, why)
        return {"mount": fault, "access": cell("-"), "sharing": cell("-")}

    @staticmethod
    def mount(broken, words, events, seen):
        """The error of the mount, or that it succeeds. It reads the root directory's inode."""
        root = Words([r for r in broken.rules if any(e.get("rule") == r.name and e.get("path") == "/" for e in events)])
        error = seen["mount"]
        value = error or "mounts"
        other = seen.get("share_mount", error)
        if other != error:
            return cell(f"{value}; with inode_share {other or 'mounts'}", DISAGREES, "the options make a difference")
        if error in broken.mount | root.access or (not error and not broken.mount):
            return cell(value)
        if error in words.described:
            return cell(value, EXPLAINED, "described as behaviour or divergence")
        if error and any(e["type"] != "finding" for e in events):
            return cell(value, EXPLAINED, "outside of what is specified: erofs-ishare could not examine all of it")
        if not error and all(KERNELS.search(r.divergence or "") for r in broken.rules if r.kernel.get("mount")):
            return cell(value, EXPLAINED, "documented as divergence")
        if not error:
            return cell(value, DISAGREES, f"should be refused with {' or '.join(sorted(broken.mount))}")
        return cell(value, DISAGREES, "no broken rule has this consequence")

    def access(self, case, broken, words, events, seen, compressed):
        """The errors of walking, reading, and looking at xattrs."""
        if seen["mount"]:
            return cell("-")
        errors = {e[3] for e in seen["errors"]}
        value = ", ".join(sorted(errors)) or "reads"
        own = [r for r in broken.rules if r.name == case.rule and r.kernel.get("access")]
        expected = Words(own).access | Words(own).described
        if case.kind == "fails" and own and not errors & expected and not self.unseen(own, seen):
            wanted = " or ".join(sorted(Words(own).access))
            return cell(value, DISAGREES, f"{wanted} is not seen")
        if errors <= broken.access:
            return cell(value)
        possible = broken.access | words.described
        if errors <= possible:
            return cell(value, EXPLAINED, "described as behaviour or divergence")
        if any(e["type"] in ("unexamined", "failure") for e in events):
            return cell(value, EXPLAINED, "outside of what is specified: erofs-ishare could not examine all of it")
        if {e[3] for e in seen["errors"] if e[0] not in compressed and not e[2].startswith(ACL)} <= possible:
            return cell(value, EXPLAINED, "outside of what is specified: compression, or POSIX ACLs")
        return cell(value, DISAGREES, f"no broken rule leads to {', '.join(sorted(errors - possible))}")

    @staticmethod
    def unseen(own, seen):
        """Whether the rule is about something hidden, and what it says of sharing is what was seen."""
        return any(SHARES_NOT.search(r.kernel.get("behaviour") or "") for r in own) and seen.get("private")

    @staticmethod
    def sharing(words, events, files, seen):
        """Which files share: as their fingerprints say?"""
        if seen["mount"] or seen.get("share_mount"):
            return cell("-")
        shared, private = set(seen["shared"]), set(seen["private"])
        value = f"{len(shared)} of {len(shared | private)}"
        if not shared | private:
            value = "no file"
        wrong = sorted(p for p in shared if files.get(p) is False)
        if wrong:
            return cell(value, DISAGREES, f"{', '.join(wrong)} should not share")
        wrong = sorted(p for p in private if files.get(p) is True)
        if wrong:
            return cell(value, DISAGREES, f"{', '.join(wrong)} should share")
        if seen["other_data"]:
            lies = {"fingerprint.digest", "fingerprint.same-size"} & {r.name for r in words.rules} or \
                any(e["type"] != "finding" for e in events)
            why = f"{', '.join(seen['other_data'])} shows other data when shared"
            return cell(value + ", other data", EXPLAINED if lies else DISAGREES, why)
        unclear = [p for p in shared | private if files.get(p) is None]
        return cell(value, AGREES, "not known of each file whether it should" if unclear else "")

    def should_share(self, dump, events):
        """path -> True, False, or None (not known) for each regular file, from the decoded structures."""
        result = {}
        fields = (dump or {}).get("superblock", {}).get("fields", {})
        findings = [e for e in events if e["type"] == "finding"]
        anywhere = any(e["severity"] == "error" and "path" not in e for e in findings) or \
            any(e["type"] != "finding" for e in events)
        errors = {e.get("path") for e in findings if e["severity"] == "error"}
        inodes = [i for i in (dump or {}).get("inodes", []) if i.get("type") == "regular file"]
        prints = {i["path"]: {x["value"] for x in i.get("xattrs", []) if x.get("fingerprint")} for i in inodes}
        doubted = set().union(*(values for path, values in prints.items() if path in errors))
        for path, values in prints.items():
            doubtful = anywhere or path in errors or values & doubted
            announced = fields.get("feature_compat", 0) & FEATURE_ISHARE_XATTRS
            result[path] = None if doubtful else bool(announced and values)
        for finding in findings:
            if self.not_shared(finding["rule"]) and finding.get("path") in result and not anywhere:
                result[finding["path"]] = False
        return result

    def not_shared(self, name):
        """Whether a rule says without a condition that the file does not share."""
        text = self.spec.rule(name).kernel.get("behaviour") or ""
        return bool(SHARES_NOT.search(text)) and " if " not in text

    # ---- erofs-utils ----

    def fsck(self, case, events, seen):
        """Does fsck.erofs refuse what breaks a rule of severity error, and nothing else?"""
        rules = self.rules(events, case) + [self.spec.rule(r) for words, r in CLAIMS.items() if words in seen["said"]]
        known = any(UTILS.search(r.divergence or "") for r in rules)
        if seen["value"] in TOOL_FAULTS:
            return self.tool_fault(rules, seen)
        broken = any(e["type"] == "finding" and e["severity"] == "error" for e in events)
        unclear = any(e["type"] != "finding" for e in events)
        if broken == (seen["value"] == "refuses"):
            return cell(seen["value"])
        why = "passes what breaks a rule" if broken else "refuses what breaks no rule"
        if known or case.kind == "either":
            return cell(seen["value"], EXPLAINED, f"{why}: documented as divergence")
        if unclear:
            return cell(seen["value"], EXPLAINED, f"{why}, but erofs-ishare could not examine all of it")
        return cell(seen["value"], DISAGREES, why)

    def dump(self, case, events, seen):
        """dump.erofs judges nothing; it must survive, and show what breaks no rule."""
        rules = self.rules(events, case)
        if seen["value"] in TOOL_FAULTS:
            return self.tool_fault(rules, seen)
        broken = any(e["type"] != "finding" or e["severity"] == "error" for e in events)
        if seen["value"] == "refuses" and not broken:
            known = any(UTILS.search(r.divergence or "") for r in rules)
            return cell("refuses", EXPLAINED if known else DISAGREES, "refuses what breaks no rule")
        return cell("refuses" if seen["value"] == "refuses" else "shows")

    @staticmethod
    def tool_fault(rules, seen):
        """A crash, or no end."""
        known = any(UTILS.search(r.divergence or "") and TOOL_FAULTS[seen["value"]].search(r.divergence) for r in rules)
        value = f"{seen['value']} ({seen['status']})" if seen["value"] == "crash" else seen["value"]
        return cell(value, EXPLAINED if known else DISAGREES,
                    "documented as divergence" if known else "no image may do this to a program")
