#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Samples: the same seed gives the same one, and over many seeds everything gets its turn."""

import hashlib
import os

from erofs_ishare import sample, tap

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
    for what, count, number in (("machines", 3, 1), ("patches", 17, 6), ("a sweep's tenth", 1000,
                                                                          100)):
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


def test_seed():
    """What SAMPLE means."""
    for value, seed in (("", None), ("FULL", None), ("abc", "abc")):
        os.environ["SAMPLE"] = value
        tap.ok(sample.seed() == seed, f"SAMPLE={value}: {seed}")
    del os.environ["SAMPLE"]
    tap.ok(sample.seed() is None, "no SAMPLE: everything")


test_choice()
test_turns()
test_seed()
tap.done()
