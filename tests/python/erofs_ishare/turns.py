# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Parts of the tests that take turns in samples, because each needs its own guests, which take
minutes to build.

The seed chooses one part. A part also runs if its files have changed: if their digest differs from
the one that turns.tsv recorded when all stages last passed that run the part.
"""

import json
import os
import tomllib

from . import TOP, changed, files, sample

RECORD = changed.Record(f"{TOP}/tests/tools/turns.tsv", ("part",), """\
# A digest of the files that each part of the kernel's tests is made of, from when it last passed.
# In a sample, a part whose files differ is run all the same. After a full run of all stages,
# `tests/tools/turns --record` writes this file.
""")
EVIDENCE = f"{TOP}/build/record.json"
STAGES = f"{TOP}/tests/tools/stages.toml"
# The guests debug and strict with what runs in them, and the guests for fuzzing.
PARTS = {
    "debug": ("kernel/kunit", "kernel/oracle", "kernel/probe", "kernel/uml", "ref/core", "spec"),
    "fuzz": ("fuzz/kernel", "fuzz/mutator", "fuzz/planted/kernel", "kernel/oracle", "kernel/uml",
             "ref/core", "spec", "tests/images"),
}
# The stages that run a part.
RUN_BY = {"debug": ("guests", "test-kernel", "test-findings"), "fuzz": ("test-fuzz-kernel",)}
# Nothing is made of them.
IDLE = ("README.md", ".pyc", "~")


def files_of(part):
    """The files, sorted; links lead to what is shared with everything else."""
    found = [f"{where}/{name}" for path in PARTS[part]
             for where, _, names in os.walk(f"{TOP}/{path}") for name in names]
    return sorted(path for path in found if not path.endswith(IDLE) and not os.path.islink(path))


def digests():
    """{(part,): digest} of names and contents."""
    return {(part,): changed.digest_of_files(files_of(part)) for part in PARTS}


def read_evidence():
    """What the last run of stages did; empty if there was none."""
    if not os.path.exists(EVIDENCE):
        return {}
    return json.loads(files.read(EVIDENCE))


def doubt(evidence):
    """Why a run of stages shows nothing about the files as they are; None if it does."""
    if not evidence:
        return "build/record.json is missing: run `make test-all`"
    if not evidence["tree"] or evidence["tree"] != changed.tree():
        return "build/record.json is about other files than these"
    if evidence["dirty"]:
        return "build/record.json is about files that were not committed, or changed meanwhile"
    if evidence["sample"]:
        return f"build/record.json is about the sample {evidence['sample']}"
    if evidence["kdir"]:
        return f"build/record.json is about the kernel in {evidence['kdir']}"
    return None


def unproven(part, evidence):
    """Which stages that run a part have not passed in full."""
    table = tomllib.loads(files.read(STAGES))
    commands = {name: entry["command"] for name, entry in table.items()}
    passed = {stage["name"] for stage in evidence["stages"]
              if stage["result"] == "passed" and stage["command"] == commands[stage["name"]]}
    return [name for name in RUN_BY[part] if name not in passed]


def record():
    """Writes turns.tsv for the parts that have passed as they are; returns what is missing for the
    others."""
    evidence = read_evidence()
    if wrong := doubt(evidence):
        return [wrong]
    missing = {part: unproven(part, evidence) for part in PARTS}
    RECORD.write(RECORD.read() | {(part,): value for (part,), value in digests().items()
                                  if not missing[part]})
    return [f"{part} is not recorded: build/record.json does not say that these passed in full: "
            + ", ".join(stages) for part, stages in missing.items() if stages]


def taken():
    """The parts that are run: all without a seed."""
    turn = sample.choose(sample.seed(), "turns", PARTS, 1)
    different = RECORD.changed(digests())
    return [part for part in PARTS if part in turn or (part,) in different]
