#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""A new rule touches at most five files, and make names what is missing.

Applies the diff that CONTRIBUTING.md shows to a copy of the tree, builds that, and tries the rule;
then takes each part of the diff away.
"""

import json
import re
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import read, write
from erofs_ishare.run import without_make

GUIDE = f"{tap.TOP}/CONTRIBUTING.md"
RULE, FUNCTION, ID = "sb.fixed-nsec", "sb_fixed_nsec", "ISHARE_RULE_SB_FIXED_NSEC"
CHAPTER = "spec/10-superblock.md"
MOST_FILES = 5

# What make says without the diff's part of a file.
MISSING_FILES = {
    CHAPTER: f"ref/check/superblock.c:LINE: {ID}: there is no such rule: write its section in the "
             "specification",
    "ref/core/superblock.c": f"{CHAPTER}:LINE: rule {RULE} has no function: define bool "
                             f"{FUNCTION}() in ref/core",
    "ref/core/superblock.h": f"{CHAPTER}:LINE: rule {RULE}: no header in ref/core declares bool "
                             f"{FUNCTION}()",
    "ref/check/superblock.c": f"{CHAPTER}:LINE: rule {RULE} is never reported: report {ID} in "
                              "ref/check or ref/domain"}

# What make says without a part of the rule's section: the part as a regular expression.
MISSING_PARTS = {
    r"`fixed_nsec` MUST be less than \d+\.\n\n": "has no normative paragraph below its heading",
    r"```acsl\npredicate sb_fixed_nsec.*?```\n": f"has no acsl fence with predicate {FUNCTION}",
    r"subject: superblock\n": "subject is missing",
    r"severity: error\n": "severity is missing",
    r"harm: policy\n": "harm is missing",
    r"hides: nothing\n": "does not say what a violation hides",
    r"sharing: unaffected\n": "does not say what a violation does to sharing",
    r"kernel: \{[^\n]*\n": "states no kernel consequence (kernel: mount, access or behaviour)",
    r"  holds:\n    - .*?\n": "has no holds-vector",
    r"  fails:\n    - .*?\n    - .*?\n": "has no fails-vector",
    r"    sb_fixed_nsec\(sb\) &&\n": "has severity error, but is neither demanded nor left out by "
                                     "conformance"}


class Copy:
    """A copy of the tree."""

    def __init__(self, directory):
        self.top = f"{directory}/tree"
        tap.copy_tree(self.top)

    def make(self, *targets):
        """(status, what make says)."""
        done = tap.run(["make", "-s", "CFLAGS=-O0", *targets], cwd=self.top, env=without_make())
        return done.returncode, done.stdout + done.stderr

    def tool(self, *arguments):
        """The built program's result."""
        return tap.run([f"{self.top}/build/erofs-ishare", *arguments])


def test_diff(copy):
    """The diff applies, to few files."""
    diff = re.search(r"^```diff\n(.*?)^```$", read(GUIDE), re.M | re.S)[1]
    write(f"{copy.top}/rule.diff", diff)
    done = tap.run(["patch", "-p1", "-i", "rule.diff"], cwd=copy.top)
    tap.ok(done.returncode == 0, "the diff in CONTRIBUTING.md applies", done.stdout, done.stderr)
    files = re.findall(r"^\+\+\+ b/(.*)$", diff, re.M)
    tap.ok(sorted(files) == sorted(MISSING_FILES) and len(files) <= MOST_FILES,
           f"a rule is written in at most {MOST_FILES} files", *files)


def test_rule(copy):
    """The built program knows the rule and judges its vectors."""
    status, said = copy.make("all", "build/spec/vectors/.stamp", "build/spec/spec.html")
    if not tap.ok(status == 0 and not said, "the copy builds, without a warning", said):
        return
    rules = json.loads(copy.tool("rules", "--format=json").stdout)
    mine = [r for r in rules if r["name"] == RULE]
    tap.ok(len(mine) == 1 and mine[0]["severity"] == "error", "rules lists the rule", mine)
    said = copy.tool("explain", RULE).stdout
    tap.ok("fixed_nsec MUST be less than" in said and f"predicate {FUNCTION}" in said and
           "fails-1: plain with fixed_nsec: 4294967295" in said, "explain explains it", said)
    row = next((line for line in copy.make("report-rules")[1].splitlines() if RULE in line), "")
    tap.ok(row.split()[1:10] == "superblock error yes yes 1 2 0 nothing unaffected".split(),
           "the table of what each rule needs is complete", row)
    tap.ok(f'id="{RULE}"' in read(f"{copy.top}/build/spec/spec.html"), "the page has it")
    test_vectors(copy)


def test_vectors(copy):
    """The rule is reported of the vectors that break it, alone, and of no other."""
    vectors = f"{copy.top}/build/spec/vectors"
    manifest = json.loads(read(f"{vectors}/manifest.json"))
    images = {f"{vectors}/{v['file']}": v for v in manifest if not v["devices"]}
    done = copy.tool("check", "--format=json", *images)
    errors = {(e["image"], e["rule"]) for e in json.loads(done.stdout)["events"]
              if e["type"] == "finding" and e["severity"] == "error"}
    mine = {image: v["kind"] for image, v in images.items() if v["rule"] == RULE}
    tap.ok(sorted(mine.values()) == ["fails", "fails", "holds"], "there are vectors", mine)
    wanted = {(image, RULE) for image, kind in mine.items() if kind == "fails"}
    tap.ok({e for e in errors if e[0] in mine} == wanted, "its vectors break it and nothing else",
           *sorted(errors))
    tap.is_empty([image for image, rule in errors if rule == RULE and image not in mine],
                 "no other vector breaks it")


def test_missing(copy, name, path, text, *wanted):
    """One test point: with another text of a file, make fails and says what is missing."""
    whole = read(f"{copy.top}/{path}")
    write(f"{copy.top}/{path}", text)
    status, said = copy.make("all")
    write(f"{copy.top}/{path}", whole)
    said = re.sub(r"(?<=[a-z]):\d+: ", ":LINE: ", said)
    tap.ok(text != whole and status == 2 and all(w in said for w in wanted),
           f"without {name}: make names it",
           f"status {status}", said, "instead of", *wanted)


def test_contract(copy):
    """A contract that does not state the rule."""
    path = "ref/core/superblock.h"
    text = read(f"{copy.top}/{path}").replace(rf"\result <==> {FUNCTION}(sb)", r"\true")
    test_missing(copy, "the rule in its function's contract", path, text,
                 f"{path}:LINE: rule {RULE}: the contract of {FUNCTION}() does not say "
                 rf"`ensures meaning: \result <==> {FUNCTION}(...)`")


def test_order(copy, chapter):
    """What several steps lack is named at once, in their order."""
    start = chapter.index(f"### {RULE}\n")
    end = chapter.index("### ", start + 1)
    hides = chapter.index("# Times say", start)
    demand = chapter[end:].replace(f"    {FUNCTION}(sb) &&\n", "")
    place = f"{CHAPTER}:LINE: rule {RULE} has"
    heading = [f"{place} no normative paragraph below its heading",
               f"{place} no acsl fence with predicate {FUNCTION} (a rule about readers needs none)",
               f"{place} no yaml fence"]
    test_missing(copy, "what follows the heading", CHAPTER, chapter[:start] + f"### {RULE}\n\n" +
                 demand, "\n".join(heading))
    test_missing(copy, "half of step 3, and steps 4 and 5", CHAPTER,
                 chapter[:hides] + "kernel: {behaviour: Not checked}\n```\n\n" + demand,
                 f"{CHAPTER}:LINE: rule {RULE} does not say what a violation hides", "\n".join([
                     "does to sharing (sharing: none, file, xattr, later-xattrs, unaffected, "
                     "other-content, unknown)",
                     f"{place} no holds-vector", f"{place} no fails-vector",
                     f"{place} severity error, but is neither demanded"]))


def main():
    """Apply, build, try, take away."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Copy(directory)
        test_diff(copy)
        test_rule(copy)
        for path, wanted in MISSING_FILES.items():
            test_missing(copy, f"its part of {path}", path, read(f"{tap.TOP}/{path}"), wanted)
        chapter = read(f"{copy.top}/{CHAPTER}")
        start = chapter.index(f"### {RULE}\n")
        for part, wanted in MISSING_PARTS.items():
            text = chapter[:start] + re.sub(part, "", chapter[start:], count=1, flags=re.S)
            wanted = f"{CHAPTER}:LINE: rule {RULE}{':' * wanted.endswith('is missing')} {wanted}"
            test_missing(copy, repr(part), CHAPTER, text, wanted)
        test_contract(copy)
        test_order(copy, chapter)
    tap.done()


if __name__ == "__main__":
    main()
