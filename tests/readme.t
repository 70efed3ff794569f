#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The README shows what the program prints: runs each console block's command and compares.

With --update, rewrites the blocks."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n\$ ([^\n]*)\n(.*?)^```$", re.M | re.S)


def output_of(command):
    """What the command prints, without the one thing that differs from run to run: the time it
    took."""
    run = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)
    return re.sub(r"\d+\.\d+ s$", "0.000 s", run.stdout + run.stderr, flags=re.M)


def update():
    def block(match):
        return f"```console\n$ {match[1]}\n{output_of(match[1])}```"
    README.write_text(BLOCK.sub(block, README.read_text()))


def test():
    blocks = BLOCK.findall(README.read_text())
    failed = 0
    print(f"1..{len(blocks) + 1}")
    print("ok 1 - the README has console blocks" if blocks
          else "not ok 1 - the README has no console block")
    for number, (command, shown) in enumerate(blocks, 2):
        printed = output_of(command)
        if printed != shown:
            failed += 1
            print("".join(f"# README: {line}\n" for line in shown.splitlines()), end="")
            print("".join(f"# now:    {line}\n" for line in printed.splitlines()), end="")
        print(f"{'not ' if printed != shown else ''}ok {number} - {command}")
    return 1 if failed or not blocks else 0


if __name__ == "__main__":
    sys.exit(update() if sys.argv[1:] == ["--update"] else test())
