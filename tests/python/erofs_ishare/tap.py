# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Functions shared by the test programs: the Test Anything Protocol, and paths."""

import os
import shlex
import shutil
import sys

from . import TOP
from .run import run, without_make

# The program under test, and what stands before it on the command line (an emulator, say).
TOOL = shlex.split(os.environ.get("ISHARE_TOOL",
                                  shlex.quote(f"{TOP}/build/asan/erofs-ishare")))

_points = _failures = 0


def ok(holds, name, *details):
    """One test point. The details, lines of text, are printed to stderr, where prove shows them, if
    it does not hold."""
    global _points, _failures
    _points += 1
    _failures += not holds
    print(f"{'ok' if holds else 'not ok'} {_points} - {name}", flush=True)
    if not holds:
        print(f"# {name}", file=sys.stderr)
        for detail in details:
            for line in str(detail).rstrip("\n").split("\n"):
                print(f"#   {line}", file=sys.stderr)
    return bool(holds)


def skip(name, why):
    """One test point that cannot be tried here; prove counts it as skipped and shows why in verbose
    mode."""
    global _points
    _points += 1
    print(f"ok {_points} - {name} # SKIP {why}", flush=True)
    print(f"# skipped: {name}: {why}", file=sys.stderr)


def is_empty(found, name, at_most=20):
    """One test point that holds if there is nothing in the list, which names what is wrong."""
    found = [str(f) for f in found]
    more = [f"and {len(found) - at_most} more"] if len(found) > at_most else []
    return ok(not found, name, *(found[:at_most] + more))


def done():
    """Ends the program; the plan comes last, so that a program that dies half-way fails."""
    print(f"1..{_points}")
    sys.exit(1 if _failures else 0)


def make(*targets):
    """Runs a separate make, even if make runs this program; returns (status, output)."""
    made = run(["make", "--no-print-directory", "-s", *targets], env=without_make())
    return made.returncode, made.stdout + made.stderr


def tree_files():
    """The files of the tree that are there, with and without git."""
    names = run([f"{TOP}/tests/tools/list-files"]).stdout.splitlines()
    return [name for name in names if os.path.lexists(f"{TOP}/{name}")]


def copy_tree(where):
    """Copies the tree as a clone would have it; links stay links."""
    for name in tree_files():
        os.makedirs(os.path.dirname(f"{where}/{name}"), exist_ok=True)
        shutil.copy(f"{TOP}/{name}", f"{where}/{name}", follow_symlinks=False)


PARSE_TAP = r"""
use TAP::Parser;
local $/;
my $parser = TAP::Parser->new({ tap => scalar <STDIN> });
while (my $result = $parser->next) {
    next unless $result->is_test;
    print $result->is_ok ? "ok" : "not ok", "\t", $result->directive, "\t",
        $result->description, "\n";
}
print STDERR "$_\n" for $parser->parse_errors;
"""


def parse_tap(text):
    """What Perl's TAP::Parser makes of it: [(passed, directive, description)], [error]."""
    done = run(["perl", "-e", PARSE_TAP], input=text, stdin=None)
    points = [line.split("\t") for line in done.stdout.splitlines()]
    return [(p[0] == "ok", p[1], p[2]) for p in points], done.stderr.splitlines()
