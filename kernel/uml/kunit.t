#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites of kernel/kunit, as one stream of TAP: all of them in the debug guest, in the strict one those that mount
nothing but sound images, and in the plain one the comparison with the specification, with the whole field sweep and
fast enough. The kernels' logs are build/kernel/kunit-NAME.log."""

import contextlib
import os
import re
import subprocess
import sys
import time

from common import BUILD, TOP, content

SUITES = {"debug": "erofs_*", "strict": "erofs_ishare", "plain": "erofs_differential"}
POINT = re.compile(r"(not ok|ok) \d+ - (.*)")
TIMEOUT = 300

# What the differential suite says of itself, in the kernel's log.
SAID = re.compile(r"# differential_(?:rate|counts): (.*)")
RATE = re.compile(r"\d+ mounts in \d+ ms: (\d+) a second$")
TRIED = re.compile(r"of the sweep's changes, one of (\d+) was tried$")
LEAST_RATE = 1000


def log_of(guest):
    """Where its kernel's log is."""
    return f"{BUILD}/kunit-{guest}.log"


def run(guest, glob):
    """What the guest says, and how it ended."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log_of(guest))
    command = [f"{TOP}/kernel/uml/run-guest", "--guest", guest, "--timeout", str(TIMEOUT), "--mem", "512M",
               "--log", log_of(guest), "--kunit", glob]
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
                          check=False)
    return done.stdout, done.returncode, time.monotonic() - start


def point(points, holds, name):
    """One more line."""
    points.append(holds)
    print(f"{'ok' if holds else 'not ok'} {len(points)} - {name}", flush=True)


def summary(guest):
    """What the differential suite of that guest did, in its own words."""
    log = (content(log_of(guest)) or b"").decode(errors="replace")
    return [match[1] for line in log.splitlines() if (match := SAID.search(line))]


def number(pattern, said):
    """The number in the one line that is like this; -1 if there is none."""
    return next((int(match[1]) for line in said if (match := pattern.match(line))), -1)


def main():
    """One point for each test case, one for what the kernel thinks of it, and what is owed in the plain guest alone."""
    points = []
    for guest, glob in SUITES.items():
        said, status, seconds = run(guest, glob)
        for line in said.splitlines():
            if match := POINT.match(line):
                point(points, match[1] == "ok", f"{guest}: {match[2]}")
            elif line.startswith("#"):
                print(line, file=sys.stderr)
        point(points, status == 0, f"{guest}: the kernel has nothing to complain of")
        print(f"# {guest}: {glob} took {seconds:.1f} s", file=sys.stderr)
        for line in (told := summary(guest)):
            print(f"# {guest}: {line}", file=sys.stderr)
        if guest == "plain":
            point(points, number(TRIED, told) == 1, "plain: every change of the field sweep was mounted")
            point(points, number(RATE, told) >= LEAST_RATE, f"plain: at least {LEAST_RATE} mounts a second")
    print(f"1..{len(points)}")
    return 0 if all(points) else 1


if __name__ == "__main__":
    sys.exit(main())
