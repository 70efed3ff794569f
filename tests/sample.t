#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Samples: the same seed gives the same one, and over many seeds everything gets its turn."""

import hashlib
import json
import os
import subprocess
import tempfile
import tomllib

from erofs_ishare import changed, sample, tap, turns

SEEDS = [hashlib.sha1(str(number).encode()).hexdigest() for number in range(200)]
# Nothing is chosen so many times as often as a fair die would choose it.
UNFAIR = 3


def test_choice():
    """Sizes, order, and that nothing but the seed chooses."""
    names = [f"name {number}" for number in range(101)]
    some = sample.choose(SEEDS[0], "kind", names, 20)
    tap.ok(len(some) == len(set(some)) == 20 and some == sorted(some, key=names.index),
           "a sample has as many things as are asked for, in their order", some)
    tap.ok(some == sample.choose(SEEDS[0], "kind", names, 20), "the same seed, the same sample")
    tap.ok(set(some) == set(sample.choose(SEEDS[0], "kind", names[::-1], 20)),
           "the order in which things are listed chooses nothing")
    tap.ok(some != sample.choose(SEEDS[1], "kind", names, 20), "another seed, another sample")
    tap.ok(some != sample.choose(SEEDS[0], "other", names, 20), "other kinds are shuffled apart")
    fewer = set(sample.choose(SEEDS[0], "kind", names[1:], 20))
    tap.ok(len(fewer - set(some)) <= 1, "what is gone moves nothing else", fewer - set(some))
    tap.ok(len(sample.one_in(SEEDS[0], "kind", names, 10)) == 11, "a tenth of 101 is 11")
    tap.ok(sample.choose(None, "kind", names, 20) == sample.one_in(None, "kind", names, 10)
           == names, "without a seed, everything")


def test_turns():
    """Each thing has its turn, and about as often as any other."""
    for what, count, number in (("machines", 3, 1), ("patches", 17, 6),
                                ("a sweep's tenth", 1000, 100)):
        names = [f"{what} {i}" for i in range(count)]
        turns = dict.fromkeys(names, 0)
        for seed in SEEDS:
            for name in sample.choose(seed, what, names, number):
                turns[name] += 1
        expected = len(SEEDS) * number / count
        wrong = [f"{name}: {n}" for name, n in turns.items()
                 if not 0 < n < UNFAIR * expected]
        tap.is_empty(wrong, f"{what}: each of {count} has its turn within {len(SEEDS)} seeds, "
                            f"about {expected:.0f} times")


def write(path, text):
    """A file with this text."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def taken(seed):
    """The parts of the tests that are run with a seed."""
    os.environ["SAMPLE"] = seed
    return turns.taken()


def make_tree(tree):
    """A repository with two parts, and a stage that runs each."""
    turns.TOP = changed.TOP = tree
    turns.RECORD.path, turns.EVIDENCE = f"{tree}/turns.tsv", f"{tree}/build/record.json"
    turns.STAGES = f"{tree}/stages.toml"
    turns.PARTS = {"red": ("a", "both"), "blue": ("b", "both")}
    turns.RUN_BY = {"red": ("one", "two"), "blue": ("two",)}
    for name in ("a/1.c", "b/deep/2.c", "both/3.c", "a/README.md"):
        write(f"{tree}/{name}", name)
    write(f"{tree}/.gitignore", "/build\n/turns.tsv\n")
    write(turns.STAGES, "".join(f'[{n}]\ncommand = "run {n}"\n' for n in ("one", "two", "three")))
    for command in (["init", "-q"], ["add", "-A"],
                    ["-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=tree, check=True)


def passed(**other):
    """Writes that stages one and two passed with these files, but for what differs; returns what
    is missing to record the parts."""
    stages = [{"name": name, "command": f"run {name}", "result": "passed"}
              | other.pop(name, {}) for name in ("one", "two", "three")]
    write(turns.EVIDENCE, json.dumps({"tree": changed.tree(), "dirty": False, "sample": None,
                                      "kdir": None, "stages": stages} | other))
    return turns.record()


def test_evidence():
    """A part is recorded only if all that runs it passed, in full, with the files as they are."""
    with tempfile.TemporaryDirectory() as tree:
        make_tree(tree)
        found = turns.record()
        tap.ok(len(found) == 1 and "record.json is missing" in found[0], "no run, no record", found)
        for what, other in (("other files", {"tree": "0" * 40}), ("other files", {"tree": None}),
                            ("not committed", {"dirty": True}), ("the sample abc",
                                                                 {"sample": "abc"}),
                            ("the kernel in /linux", {"kdir": "/linux"})):
            found = passed(**other)
            tap.ok(len(found) == 1 and what in found[0] and not turns.RECORD.read(),
                   f"none of {what}", found)
        for what, one in (("failed", {"result": "failed"}), ("not run", {"result": "not run"}),
                          ("incomplete", {"result": "incomplete"}),
                          ("cut down", {"command": "run one ONLY=a.t"})):
            found = passed(one=one)
            tap.ok(len(found) == 1 and found[0].startswith("red is not") and found[0].endswith(
                ": one") and turns.RECORD.read().keys() == {("blue",)},
                   f"a part whose stage was {what} is not recorded, but the other is", found)
            os.unlink(turns.RECORD.path)
        tap.ok(len(passed(two={"result": "failed"})) == 2 and not turns.RECORD.read(),
               "a stage of both parts that failed: neither is")
        tap.ok(not passed(three={"result": "failed"})
               and turns.RECORD.read() == turns.digests(), "what runs neither does not matter")
        kept = turns.RECORD.read()
        write(f"{tree}/a/1.c", "changed")
        found = passed(one={"result": "failed"})
        tap.ok(found and turns.RECORD.read() == kept, "a part that is not recorded stays as it was")
        with open(turns.RECORD.path, encoding="utf-8") as table:
            lines = table.read().splitlines()
        tap.ok(lines[0].startswith("# SPDX-") and lines[-3].split("\t") == ["part", "digest"],
               "the table has a head", lines)


def test_parts():
    """Parts take turns; one that has changed is run in any case."""
    with tempfile.TemporaryDirectory() as tree:
        make_tree(tree)
        tap.ok(taken(SEEDS[0]) == ["red", "blue"], "without a record, all parts are run")
        passed()
        tap.ok(taken("") == taken("FULL") == ["red", "blue"], "without a seed, too")
        chosen = [taken(seed) for seed in SEEDS]
        tap.ok(all(len(parts) == 1 for parts in chosen), "with one, one of the parts")
        tap.ok({tuple(parts) for parts in chosen} == {("red",), ("blue",)}, "each has its turn")
        blue = SEEDS[chosen.index(["blue"])]
        write(f"{tree}/a/README.md", "other words")
        tap.ok(taken(blue) == ["blue"], "what documents say does not count")
        for name, wanted in (("a/1.c", ["red", "blue"]), ("b/deep/2.c", ["blue"]),
                             ("both/3.c", ["red", "blue"]), ("a/new.c", ["red", "blue"])):
            write(f"{tree}/{name}", "changed")
            tap.ok(taken(blue) == wanted, f"{name} is changed: {' '.join(wanted)}", taken(blue))
            passed()
            tap.ok(taken(blue) == ["blue"], "until that is recorded")
        os.rename(f"{tree}/a/new.c", f"{tree}/a/newer.c")
        tap.ok(taken(blue) == ["red", "blue"], "another name is a change")


def test_real_parts():
    """The parts of this tree have files, and are run by stages."""
    with open(turns.STAGES, "rb") as table:
        stages = tomllib.load(table)
    tap.ok(turns.RUN_BY.keys() == turns.PARTS.keys()
           and all(name in stages for names in turns.RUN_BY.values() for name in names),
           "each part is run by stages that exist")
    tap.ok(all(turns.files_of(part) for part in turns.PARTS), "and has files")


def test_seed():
    """The meaning of SAMPLE."""
    for value, seed in (("", None), ("FULL", None), ("abc", "abc")):
        os.environ["SAMPLE"] = value
        tap.ok(sample.seed() == seed, f"SAMPLE={value}: {seed}")
    del os.environ["SAMPLE"]
    tap.ok(sample.seed() is None, "no SAMPLE: everything")


def test_targets():
    """Targets of make that sample hand the seed on."""
    environment = os.environ | {"MAKEFLAGS": "", "MAKELEVEL": "0"}
    for target in ("test-proofs", "test-mutants", "report-matrix"):
        for value, seed in (("abc", "--sample abc"), ("FULL", ""), ("", "")):
            done = tap.run(["make", "-n", target, f"SAMPLE={value}"], env=environment)
            given = (seed or "--sample ") in done.stdout
            tap.ok(done.returncode == 0 and given == bool(seed),
                   f"make {target} SAMPLE={value}: {seed or 'no sample'}", done.stderr)


test_choice()
test_turns()
test_real_parts()
test_parts()
test_evidence()
test_targets()
test_seed()
tap.done()
