#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites of kernel/kunit, as one stream of TAP: all of them in the debug guest, in the strict
guest those that mount only sound images, and in the plain guest the differential suite, with the
whole field sweep and a minimum speed. Before that, the kernel's checkpatch reads them. The kernels'
logs are build/kernel/kunit-NAME.log.

In a sample without the guests debug and strict, the plain guest runs all suites that it can."""

import contextlib
import fnmatch
import glob
import os
import re
import subprocess
import sys
import time

from erofs_ishare import sample, turns
from erofs_ishare.files import read_log
from erofs_ishare.guests import (BUILD, content, hash_of_guest, made_of, read_json, SOURCE, TOP,
                                 write_json)

HERE = f"{TOP}/kernel/kunit"
SUITES = {"debug": "erofs_*", "strict": "erofs_ishare", "plain": "erofs_differential"}
# All but the suite that needs failures on demand; the kernel and fnmatch agree on the pattern.
FAULT = "erofs_fault"
ONLY_PLAIN = {"plain": "erofs_??[!u]*"}
POINT = re.compile(r"(not ok|ok) \d+ - (.*?)(?: # SKIP ?(.*))?$")
TIMEOUT = 300

# What may be skipped, and why there is no other way. Nothing else may, and all of this has to be.
SKIPS = {
    "erofs_super.super_options.with DAX": "User-Mode Linux has no device memory",
}

# What is known to fail, why, and the words in which. Any other failure of it counts, and so does a
# pass.
KNOWN_FAILURES = {
    "erofs_xattr.xattr_shared_outside_metabox":
        ("finding metabox-stale-page",
         'inode, "shared", ((void *)0), 0) == -61 (0xffffffffffffffc3)'),
}
FAILED_AT = re.compile(r"(?:EXPECTATION|ASSERTION) FAILED at ")

# What the differential suite says of itself, in the kernel's log.
SAID = re.compile(r"# differential_(?:rate|counts): (.*)")
RATE = re.compile(r"\d+ mounts in \d+ ms: (\d+) a second$")
TRIED = re.compile(r"changes of the field sweep: (\d+) of (\d+)$")
KNOWN = re.compile(r"known divergence, (\d+) times: (.*?):")
LEAST_RATE = 1000

# How long a suite took, from its first and last line in the log.
SPAN = re.compile(r"^\[ *([\d.]+)\].*? # Subtest: (erofs_\w+)$.*?^\[ *([\d.]+)\](?:\[ *[TC]\d+\])? "
                  r"(?:not )?ok \d+ \2\b", re.M | re.S)


class Stream:
    """TAP with one numbering; what prove is to show goes to stderr."""

    def __init__(self):
        self.points = []
        self.skipped = {}
        self.met = set()

    def point(self, holds, name):
        """Prints one test point."""
        self.points.append(bool(holds))
        print(f"{'ok' if holds else 'not ok'} {len(self.points)} - {name}", flush=True)

    def result(self, guest, case, holds, remarks):
        """A case that ran, and what was said on it."""
        reason, how = KNOWN_FAILURES.get(case, (None, ""))
        said = "\n".join(remarks)
        self.met |= {case} & KNOWN_FAILURES.keys()
        if reason and holds:
            self.point(False, f"{guest}: {case} is known to fail but passes: take it out of "
                              "KNOWN_FAILURES")
        elif reason and len(FAILED_AT.findall(said)) == 1 and how in said:
            self.points.append(True)
            print(f"not ok {len(self.points)} - {guest}: {case} # TODO {reason}", flush=True)
        else:
            self.point(holds, f"{guest}: {case}")

    def skip(self, guest, case, reason):
        """A case that was skipped, which is right if it is in the list."""
        self.skipped[case] = f"{SKIPS.get(case, 'not in the list')}: {reason}"
        if case in SKIPS:
            self.point(True, f"{guest}: {case} # SKIP {self.skipped[case]}")
        else:
            self.point(False, f"{guest}: {case} is not skipped ({reason})")

    @staticmethod
    def say(*lines):
        """For people."""
        for line in lines:
            print(f"# {line}", file=sys.stderr, flush=True)


# ---- The sources ----

def checkpatch(stream):
    """One point for each file: fit to post."""
    for path in sorted(path for kind in ("*.[ch]", "Kconfig", "Makefile")
                       for path in glob.glob(f"{HERE}/{kind}")):
        done = subprocess.run(["perl", f"{SOURCE}/scripts/checkpatch.pl", "--strict", "--no-tree",
                               "--color=never", "-f", path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/",
                              check=False)
        clean = done.returncode == 0 and "has no obvious style problems" in done.stdout
        if not clean:
            stream.say(*(done.stdout + done.stderr).splitlines())
        stream.point(clean,
                     f"checkpatch --strict has nothing to say to {os.path.relpath(path, TOP)}")


def suites_like(pattern):
    """The names of the suites that should run."""
    text = b"".join(content(path) for path in glob.glob(f"{HERE}/*_kunit.c")).decode()
    return set(fnmatch.filter(re.findall(r'^\t\.name = "(\w+)",$', text, re.M), pattern))


# ---- A guest ----

def log_of(guest):
    """The path of the kernel's log."""
    return f"{BUILD}/kunit-{guest}.log"


def run(guest, pattern):
    """The guest's output, and how it ended."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log_of(guest))
    command = [f"{TOP}/kernel/uml/run-guest", "--guest", guest, "--timeout", str(TIMEOUT),
               "--mem", "512M",
               "--log", log_of(guest), "--kunit", pattern]
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          errors="replace", check=False)
    return done.stdout, done.returncode, time.monotonic() - start


def results(stream, guest, pattern):
    """One point for each test case, and one for what the kernel thinks of it; returns the log, and
    the seconds."""
    said, status, seconds = run(guest, pattern)
    came, remarks = set(), []
    for line in said.splitlines():
        if match := POINT.match(line):
            came.add(match[2].partition(".")[0])
            if match[3] is not None:
                stream.skip(guest, match[2], match[3])
            else:
                stream.result(guest, match[2], match[1] == "ok", remarks)
            remarks = []
        elif line.startswith("#"):
            remarks.append(line)
            stream.say(line.removeprefix("# "))
    lost = suites_like(pattern) - came
    stream.point(not lost,
                 f"{guest}: all suites ran{' but ' * bool(lost)}{', '.join(sorted(lost))}")
    stream.point(status == 0, f"{guest}: the kernel has nothing to complain of")
    built = read_json(f"{BUILD}/{guest}/guest.json").get("source")
    stream.point(built == read_json(f"{BUILD}/source.json"),
                 f"{guest}: was built of the source in build/kernel")
    return read_log(log_of(guest)), seconds


def numbers(pattern, remarks):
    """The parts of the first line that is like this; empty if there is none."""
    return next((match.groups() for line in remarks if (match := pattern.match(line))), ())


# ---- What the plain guest has to show ----

def judge_plain(stream, remarks):
    """All of the sweep, fast, and the kernel still differs where it is known to: else a waiver is
    to be taken back."""
    tried = numbers(TRIED, remarks)
    stream.point(tried and tried[0] == tried[1],
                 "plain: every change of the field sweep was mounted")
    rate = numbers(RATE, remarks)
    stream.point(rate and int(rate[0]) >= LEAST_RATE,
                 f"plain: at least {LEAST_RATE} mounts a second")
    known = {match[2]: int(match[1]) for line in remarks if (match := KNOWN.match(line))}
    stream.point(known, "plain: the suite says where the kernel is known to differ")
    for name, times in known.items():
        stream.point(times, f"plain: {name} is met, so its waiver in oracle.c is used")


def keep_seconds(seconds):
    """For run-probe, which runs after this and knows how long both may take in the debug guest."""
    write_json(f"{BUILD}/kunit-seconds.json",
               {"guest": hash_of_guest("debug"), "seconds": round(seconds, 1)})


def suites():
    """{guest: pattern} of what is run."""
    if "debug" in turns.taken():
        return SUITES
    sample.not_run("KUnit's suites in the guests debug and strict: it is not their turn")
    return ONLY_PLAIN


def main():
    """The sources, then the guests, then what was skipped."""
    stream = Stream()
    checkpatch(stream)
    left_out = suites_like("erofs_*") - suites_like(ONLY_PLAIN["plain"])
    stream.point(left_out == {FAULT}, f"plain, where it runs alone, leaves out {FAULT} only")
    for guest, pattern in suites().items():
        log, seconds = results(stream, guest, pattern)
        remarks = [match[1] for line in log.splitlines() if (match := SAID.search(line))]
        spans = [f"{name} {float(last) - float(first):.1f} s"
                 for first, name, last in SPAN.findall(log)]
        stream.say(f"{guest}: {made_of(guest)}",
                   f"{guest}: {pattern} took {seconds:.1f} s: {', '.join(spans)}",
                   *(f"{guest}: {line}" for line in remarks))
        if guest == "plain":
            judge_plain(stream, remarks)
        if guest == "debug":
            keep_seconds(seconds)
    stream.say(f"{len(stream.skipped)} skipped",
               *(f"  {case}: {reason}" for case, reason in stream.skipped.items()))
    for case in SKIPS.keys() - stream.skipped.keys():
        stream.point(False, f"{case} is skipped no more: take it out of SKIPS")
    for case in KNOWN_FAILURES.keys() - stream.met:
        stream.point(False, f"{case}, which is known to fail, did not run")
    print(f"1..{len(stream.points)}")
    return 0 if all(stream.points) else 1


if __name__ == "__main__":
    sys.exit(main())
