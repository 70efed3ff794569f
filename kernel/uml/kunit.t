#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites of kernel/kunit, as one stream of TAP: all of them in the debug guest, and in the strict one those that
mount nothing but sound images. The kernels' logs are build/kernel/kunit-NAME.log."""

import re
import subprocess
import sys
import time

from common import BUILD, TOP

SUITES = {"debug": "erofs_*", "strict": "erofs_ishare"}
POINT = re.compile(r"(not ok|ok) \d+ - (.*)")
TIMEOUT = 300


def run(guest, glob):
    """What the guest says, and how it ended."""
    command = [f"{TOP}/kernel/uml/run-guest", "--guest", guest, "--timeout", str(TIMEOUT), "--mem", "512M",
               "--log", f"{BUILD}/kunit-{guest}.log", "--kunit", glob]
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
                          check=False)
    return done.stdout, done.returncode, time.monotonic() - start


def point(points, holds, name):
    """One more line."""
    points.append(holds)
    print(f"{'ok' if holds else 'not ok'} {len(points)} - {name}", flush=True)


def main():
    """One point for each test case, and one for what the kernel thinks of it."""
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
    print(f"1..{len(points)}")
    return 0 if all(points) else 1


if __name__ == "__main__":
    sys.exit(main())
