# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Parts of the tests that take turns in samples, because each needs its own guests, which take
minutes to build.

The seed chooses one part. A part also runs if its files have changed: if their digest differs from
the one that turns.tsv recorded when everything last ran.
"""

import hashlib
import os

from . import TOP, sample

RECORD = f"{TOP}/tests/tools/turns.tsv"
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# A digest of the files that each part of the kernel's tests is made of, from when it was last run.
# In a sample, a part whose files differ is run all the same. `tests/tools/turns --record` writes
# this file.
"""
# The guests debug and strict with what runs in them, and the guests for fuzzing.
PARTS = {
    "debug": ("kernel/kunit", "kernel/oracle", "kernel/probe", "kernel/uml", "ref/core", "spec"),
    "fuzz": ("fuzz/kernel", "fuzz/mutator", "fuzz/planted/kernel", "kernel/oracle", "kernel/uml",
             "ref/core", "spec", "tests/images"),
}
# Nothing is made of them.
IDLE = ("README.md", ".pyc", "~")


def files_of(part):
    """The files, sorted; links lead to what is shared with everything else."""
    found = [f"{where}/{name}" for path in PARTS[part]
             for where, _, names in os.walk(f"{TOP}/{path}") for name in names]
    return sorted(path for path in found if not path.endswith(IDLE) and not os.path.islink(path))


def digest(part):
    """A digest of names and contents."""
    result = hashlib.sha256()
    for path in files_of(part):
        with open(path, "rb") as content:
            result.update(f"{os.path.relpath(path, TOP)}\0".encode()
                          + hashlib.sha256(content.read()).digest())
    return result.hexdigest()[:20]


def recorded():
    """{part: digest} as in turns.tsv."""
    if not os.path.exists(RECORD):
        return {}
    with open(RECORD, encoding="utf-8") as record:
        lines = [line.split() for line in record if not line.startswith("#")]
    return {part: value for part, value in lines[1:]}


def record():
    """Write turns.tsv."""
    with open(RECORD, "w", encoding="utf-8") as out:
        out.write(HEAD + "part\tdigest\n" + "".join(f"{p}\t{digest(p)}\n" for p in PARTS))


def taken():
    """The parts that are run: all without a seed."""
    seed, before = sample.seed(), recorded()
    turn = sample.choose(seed, "turns", PARTS, 1)
    return [part for part in PARTS if part in turn or before.get(part) != digest(part)]
