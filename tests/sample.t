#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Samples: the same seed gives the same one, and over many seeds everything gets its turn."""

import hashlib
import os
import tempfile

from erofs_ishare import sample, tap, turns

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


def test_parts():
    """Parts take turns; one that has changed is run in any case."""
    with tempfile.TemporaryDirectory() as tree:
        turns.TOP, turns.RECORD = tree, f"{tree}/turns.tsv"
        turns.PARTS = {"red": ("a", "both"), "blue": ("b", "both")}
        for name in ("a/1.c", "b/deep/2.c", "both/3.c", "a/README.md"):
            write(f"{tree}/{name}", name)
        tap.ok(taken(SEEDS[0]) == ["red", "blue"], "without a record, all parts are run")
        turns.record()
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
            turns.record()
            tap.ok(taken(blue) == ["blue"], "until that is recorded")


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
test_parts()
test_targets()
test_seed()
tap.done()
