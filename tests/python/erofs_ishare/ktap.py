# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Reads a kernel's log: its complaints, and KUnit's results, as plain TAP with one line for each
test case or parameter."""

import re

STAMP = re.compile(r"^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")
VERSION = re.compile(r"^( *)KTAP version \d+$")
SUBTEST = re.compile(r"^( *)# Subtest: (.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)$")
RESULT = re.compile(r"^( *)(not ok|ok) (\d+)(?: -)? ?(.*)$")
STATISTICS = re.compile(r"^ *# (?:.*: pass:\d|Totals: |module: |.*\.speed: )")

# How the kernel's complaints begin.
COMPLAINT = re.compile(r"""
    Kernel\ panic | BUG: | kernel\ BUG | WARNING: | KASAN: | UBSAN: | KFENCE: | Oops |
    INFO:\ (?!lockdep\ is\ turned) | Internal\ error | general\ protection | Unable\ to\ handle |
    Segfault\ with\ no\ mm | Kernel\ mode\ fault | kmemleak:\ \d+\ new | VFS:\ Busy\ inodes |
    Dentry\ .*\ still\ in\ use | refcount_t: | list_(add|del)\ corruption |
    possible\ recursive\ locking | =+\[\ BUG | DEBUG_LOCKS_WARN_ON | irq\ \d+:\ nobody\ cared |
    watchdog:\ BUG | Out\ of\ memory:\ Killed | ODEBUG: | Bad\ page\ | stack\ segment |
    Kernel\ stack""", re.X)


def complaints(lines):
    """Those of a log's lines, without time stamps, in which the kernel complains."""
    return [line for line in lines if COMPLAINT.match(line)]


class Level:
    """A list of results at one indentation."""

    def __init__(self, depth):
        self.depth, self.planned, self.seen, self.failed, self.name = depth, None, 0, 0, ""

    def lacks(self):
        """The missing test points of the plan, in words; empty if there are none."""
        if self.planned is not None and self.seen < self.planned:
            return f"{self.planned - self.seen} of {self.planned} results did not come"
        return ""


class Results:
    """The TAP lines that follow from the log's lines."""

    def __init__(self):
        self.tap, self.count = [], 0
        self.levels = []
        self.said = []

    def point(self, holds, name, directive=""):
        """One test point, after what was said on it if it fails."""
        self.count += 1
        if not holds:
            self.tap += [f"# {line.strip()}" for line in self.said if not STATISTICS.match(line)]
        self.tap.append(f"{'ok' if holds else 'not ok'} {self.count} - "
                        f"{name}{f' # {directive}' if directive else ''}")
        self.said = []

    def path(self, *names):
        """The full name of something at the innermost level."""
        return ".".join([level.name for level in self.levels if level.name] + list(names))

    def leave(self, depth):
        """Ends the levels that are deeper; returns the last one."""
        left = None
        while self.levels and self.levels[-1].depth > depth:
            left = self.levels[-1]
            if left.lacks():
                left.failed += 1
                self.point(False, f"{self.path() or 'KUnit'}: {left.lacks()}")
            self.levels.pop()
        return left

    def result(self, depth, holds, number, rest):
        """A result: of a test case or parameter, or the sum of the results that stood deeper."""
        below = self.leave(depth)
        missing = number - 1 - self.levels[-1].seen
        if missing > 0:
            self.levels[-1].seen += missing
            self.point(False, f"{self.path() or 'KUnit'}: {missing} results before number {number} "
                              "are not in the log")
            below = None
        name, _, directive = rest.partition(" # ")
        if below is None or (not holds and not below.failed):
            self.point(holds, self.path(name), directive)
        self.levels[-1].seen += 1
        self.levels[-1].failed += not holds

    def line(self, text):
        """One line of the log, without its time stamp."""
        if match := VERSION.match(text):
            self.levels.append(Level(len(match[1])))
        elif not self.levels:
            return
        elif match := SUBTEST.match(text):
            self.levels[-1].name = match[2]
        elif match := PLAN.match(text):
            self.levels[-1].planned = int(match[2])
        elif (match := RESULT.match(text)) and len(match[1]) >= self.levels[0].depth:
            self.result(len(match[1]), match[2] == "ok", int(match[3]), match[4])
        elif text.strip():
            self.said.append(text)


def tap(log):
    """The TAP of all suites in a kernel's log."""
    results = Results()
    for line in log.splitlines():
        results.line(STAMP.sub("", line))
    results.leave(-1)
    if not results.count:
        results.point(False, "KUnit ran no test")
    return "\n".join([*results.tap, f"1..{results.count}"]) + "\n"
