#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Programs that are missing, or of another version, are named in one line. The programs here are
all fakes."""

import os
import shutil
import tempfile

from erofs_ishare import tap
import wp


FAKES = {"frama-c": "25.0 (Manganese)", "why3": "Why3 platform, version 1.5.1",
         "cvc5": "This is cvc5 version 1.0.3"}


def commands():
    """The commands that need the tools."""
    yield "prove", [f"{tap.TOP}/proofs/prove", "ref/core/bytes.h"]
    yield "mutants", [f"{tap.TOP}/proofs/mutants", "--sample", "1"]


def dies(name, fakes, *words):
    """Two test points: with these programs on PATH, and no others, one line has all of the
    words."""
    with tempfile.TemporaryDirectory() as directory:
        for tool in ("gcc", "nm", "git", "sh"):
            if tool in wp.TOOLS and tool not in fakes:
                continue
            os.symlink(shutil.which(tool) or "/nonexistent", f"{directory}/{tool}")
        for tool, says in fakes.items():
            if says:
                wp.write(f"{directory}/{tool}", f"#!/bin/sh\necho '{says}'\n", 0o755)
        for program, command in commands():
            done = tap.run(command, env={**os.environ, "PATH": directory})
            lines = done.stderr.splitlines()
            tap.ok(done.returncode == 2 and len(lines) == 1 and not done.stdout
                   and all(word in lines[0] for word in words),
                   f"{program}: {name}", f"status {done.returncode}", done.stdout, done.stderr)


def main():
    """Each tool missing, each of another version."""
    good = {**FAKES, "gcc": "", "nm": ""}
    for tool, package in wp.TOOLS.items():
        dies(f"{tool} is missing", {t: says for t, says in good.items() if t != tool},
             f"apt install {package} ", "make deps-proofs")
    dies("all are missing", {}, "apt install " + " ".join(sorted(set(wp.TOOLS.values()))))
    for tool in FAKES:
        dies(f"{tool} is another version", {**good, tool: "This is version 99.1"},
             tool, "99.1", wp.VERSIONS[tool][1], f"apt install {wp.TOOLS[tool]}")
        dies(f"{tool} does not say its version", {**good, tool: "Hello."}, tool, "unknown",
             wp.TOOLS[tool])
    tap.done()


main()
