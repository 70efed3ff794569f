# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Samples of work that is too much for every run, chosen by a seed and by nothing else.

Continuous integration sets SAMPLE to the commit's hash. The same seed always gives the same sample;
different seeds give each thing its turn. Without a seed, or with SAMPLE=FULL, everything is done.
"""

import hashlib
import math
import os
import sys

FULL = "FULL"


def seed():
    """The seed in the environment, or None where everything is wanted."""
    value = os.environ.get("SAMPLE", "")
    return None if value in ("", FULL) else value


def rank(chosen_by, kind, name):
    """A number that looks random: the smaller, the earlier a thing is taken. Each kind of thing is
    shuffled by itself."""
    return hashlib.sha256("\0".join((chosen_by, kind, str(name))).encode()).hexdigest()


def choose(chosen_by, kind, names, number):
    """So many of the names, in the order in which they were given; all of them without a seed."""
    names = list(names)
    if chosen_by is None:
        return names
    first = set(sorted(names, key=lambda name: rank(chosen_by, kind, name))[:number])
    return [name for name in names if name in first]


def one_in(chosen_by, kind, names, parts):
    """At least one part in so many."""
    names = list(names)
    return choose(chosen_by, kind, names, math.ceil(len(names) / parts))


def note(text):
    """Say what of all that could be done is done. tests/tools/stages repeats such lines at the
    end."""
    print(f"sampled: {text}", file=sys.stderr, flush=True)


def not_run(text):
    """Reports something that is left out altogether."""
    print(f"not run: {text}", file=sys.stderr, flush=True)
