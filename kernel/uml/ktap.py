# SPDX-License-Identifier: GPL-2.0-or-later
"""KUnit's results, which stand in the kernel's log among other lines, as plain TAP: one line a test case or parameter."""

import re

STAMP = re.compile(r"^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")
RESULT = re.compile(r"^( *)(not ok|ok) \d+(?: -)? ?(.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)$")
TITLE = re.compile(r"^( *)# (?:Subtest|module): (.*)$")
COUNTS = re.compile(r"^ *# ([^:]*: (pass:|Totals:|init )|Totals: |[^ ]*\.speed: |module: )")


class Suites:
    """What has been said so far, line by line."""

    def __init__(self):
        self.points = []        # finished leaves: (holds, name, directive, lines said before)
        self.open = []          # [indentation, results planned, results seen, name]
        self.deeper = {}        # indentation: has a result stood deeper since the last one here?
        self.said = []
        self.begun = False
        self.lacking = []

    def line(self, text):
        """One line of the kernel's log, without its time stamp."""
        if re.match(r"^ *KTAP version \d", text):
            self.begun = True
        elif not self.begun:
            return
        elif match := RESULT.match(text):
            self.result(len(match[1]), match[2] == "ok", match[3])
        elif match := PLAN.match(text):
            self.open.append([len(match[1]), int(match[2]), 0, self.title(len(match[1]))])
        elif match := TITLE.match(text):
            self.names(len(match[1]), match[2])
        elif text.strip():
            self.said.append(text)

    def names(self, depth, name):
        """A subtest's title; it comes before or after its plan."""
        self.deeper[("title", depth)] = name
        for suite in self.open:
            if suite[0] == depth and not suite[2]:
                suite[3] = name

    def title(self, depth):
        """The latest title at this depth."""
        return self.deeper.get(("title", depth), "")

    def result(self, depth, holds, rest):
        """A result line: a leaf, if none stood deeper since the last one at this depth."""
        name, _, directive = rest.partition(" # ")
        while self.open and self.open[-1][0] > depth:
            self.close(self.open.pop())
        had_children = self.deeper.pop(depth, False)
        for shallower in range(depth):
            self.deeper[shallower] = True
        if self.open and self.open[-1][0] == depth:
            self.open[-1][2] += 1
        path = [s[3] for s in self.open if s[3] and s[0] <= depth]
        if not had_children:
            self.points.append((holds, ".".join([*path, name]), directive, self.said))
            self.said = []
        elif not holds and all(p[0] for p in self.points):
            self.points.append((False, ".".join([*path, name]), directive, self.said))
            self.said = []

    def close(self, suite):
        """A suite that ends before its plan is fulfilled has lost results."""
        _, planned, seen, name = suite
        if seen < planned:
            self.lacking.append(f"{name or 'KUnit'}: {planned - seen} of {planned} results did not come")

    def end(self):
        """No more lines come."""
        while self.open:
            self.close(self.open.pop())
        if not self.points:
            self.lacking.append("no KUnit suite ran")


def tap(log):
    """The TAP of all suites in a kernel's log."""
    suites = Suites()
    for line in log.splitlines():
        suites.line(STAMP.sub("", line.rstrip("\r")))
    suites.end()
    out = []
    for number, (holds, name, directive, said) in enumerate(suites.points, 1):
        if not holds:
            out += [f"# {line}" for line in said if not COUNTS.match(line)]
        out.append(f"{'ok' if holds else 'not ok'} {number} - {name}{' # ' + directive if directive else ''}")
    for number, why in enumerate(suites.lacking, len(suites.points) + 1):
        out.append(f"not ok {number} - {why}")
    out.append(f"1..{len(suites.points) + len(suites.lacking)}")
    return "\n".join(out) + "\n"
