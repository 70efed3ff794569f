#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every vector and every real image through erofs-ishare, a kernel, fsck.erofs and dump.erofs,
and every change of the field sweep through erofs-ishare and the kernel; compares each with what the
specification says.

    matrix.py [--no-sweep]

Writes build/matrix.json and build/matrix.html. Exit status: 0 all results are as specified or
documented, 1 there is a disagreement, 2 the matrix could not run, 130 it was interrupted.
"""

import argparse
import collections
import contextlib
import fcntl
import json
import os
import re
import resource
import shutil
import sys
import time

from erofs_ishare import sample
from erofs_ishare.files import read, write
from erofs_ishare.specc.words import kernel_words
from erofs_ishare.structures import specification
import cases
import page
from cases import TOP
from guest import Guests, Trouble
from judge import (AGREES, DISAGREES, EXPLAINED, Judge, Known, Open, RANK, reported, UNSPECIFIED,
                   worst)
from tools import Core, Utils, parallel, version

HERE = os.path.dirname(os.path.abspath(__file__))

WORK = "build/matrix"
SWEEP_ONE_IN = 10
PATIENCE = float(os.environ.get("MATRIX_PATIENCE", "15"))
GUEST_FACTS = "build/kernel/plain/guest.json"
GUEST = os.environ.get("MATRIX_GUEST",
                       "kernel/uml/run-guest --guest plain --append seccomp=on").split()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    sweep = parser.add_mutually_exclusive_group()
    sweep.add_argument("--no-sweep", action="store_true", help="leave out the field sweep")
    sweep.add_argument("--sample", metavar="SEED",
                       help="try one in ten changes of the field sweep, chosen by the seed")
    return parser.parse_args()


def processor_seconds():
    """The processor time of all child programs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(text):
    print(text, flush=True)


class Matrix:
    """All rows, and how they came about."""

    def __init__(self):
        self.judge = Judge(specification())
        with open(f"{HERE}/known.tsv", encoding="utf-8") as known:
            self.known = Known(known)
        with open(f"{HERE}/unspecified.tsv", encoding="utf-8") as expected:
            self.open = Open(expected)
        self.core = Core("build/erofs-ishare")
        self.utils = Utils("build/tools/bin")
        self.runner = f"{TOP}/{WORK}/run-vectors"
        self.padder = cases.Padder(cases.PADDED)
        self.kernel = None
        self.rates = {}
        self.unshown = []

    def observe(self, some, log, what):
        """The kernel's result for each image, and the rate."""
        guests = Guests(GUEST, self.runner, PATIENCE, log)
        before, worked = time.monotonic(), processor_seconds()
        seen = guests.observe(some)
        seconds, worked = time.monotonic() - before, processor_seconds() - worked
        self.kernel = guests.kernel
        mounts = round(guests.timed / guests.seconds_alone)
        self.rates[what] = {"images": len(some), "guests": len(guests.started),
                            "seconds": round(seconds, 2),
                            "processor_seconds": round(worked, 2), "mounts_per_second": mounts}
        say(f"{what}: {len(some)} images through {len(guests.started)} guests in {seconds:.1f} s "
            f"({worked:.1f} s of processor time); mount, walk, read and unmount: {mounts} a second")
        return seen

    def kernel_results(self, some, seen):
        """[(case, events, dump, seen)]: the core judges the very bytes that the kernel got."""
        mounted = [(c.mounted, c.mounted_devices) for c in some]
        reports = self.core.check(mounted)
        dumps = parallel(self.core.dump, mounted)
        return list(zip(some, reports, dumps, seen))

    def settle(self, case, cells):
        """Final verdicts, by the two tables."""
        return self.open.limit(case, self.known.explain(case.name, cells))

    def rows(self):
        """One row for each vector and image."""
        some = [self.padder.pad(c) for c in (*cases.vectors(), *cases.images())]
        seen = self.observe(some, True, "vectors and images")
        before = time.monotonic()
        reports = self.core.check([(c.file, c.devices) for c in some])
        fsck = parallel(self.utils.fsck, some)
        dumps = parallel(self.utils.dump, some)
        say(f"erofs-ishare, fsck.erofs and dump.erofs: {time.monotonic() - before:.1f} s")
        result = []
        results = self.kernel_results(some, seen)
        self.unshown = list(self.judge.unshown(results))
        for result_of_kernel, events, fscked, dumped in zip(results, reports, fsck, dumps):
            case, said, _, observed = result_of_kernel
            rules = self.judge.rules(events, case)
            cells = {"core": self.judge.core(case, events), **self.judge.kernel(*result_of_kernel),
                     "fsck": self.judge.fsck(case, events, fscked),
                     "dump": self.judge.dump(case, events, dumped)}
            self.settle(case, cells)
            result.append({"name": case.name, "rule": case.rule, "kind": case.kind,
                           "file": case.file,
                           "why": case.why, "edits": case.edits, "base": case.base,
                           "padded": case.padded,
                           "cells": cells, "verdict": worst(c["verdict"] for c in cells.values()),
                           "words": {
                               r.name: ". ".join(w.rstrip(".") for w
                                                 in (kernel_words(r), r.divergence) if w)
                               for r in rules},
                           "mounted": reported(said) if case.padded else None, "kernel": observed,
                           "fsck": fscked,
                           "dump": dumped})
        return result

    def sweep(self, seed):
        """What is seen of the sweep, counted by field; what disagrees or ends a guest, change by
        change. With a seed, of a sample."""
        every = list(cases.sweep())
        chosen = set(sample.one_in(seed, "sweep", (c.name for c in every), SWEEP_ONE_IN))
        some = [self.padder.pad(c) for c in every if c.name in chosen]
        if seed:
            sample.note(f"{len(some)} of {len(every)} changes of the field sweep in the guest")
        seen = self.observe(some, False, "field sweep")
        fields = collections.defaultdict(collections.Counter)
        wrong = []
        for case, events, dump, observed in self.kernel_results(some, seen):
            cells = self.judge.kernel(case, events, dump, observed)
            verdict = worst(c["verdict"] for c in self.settle(case, cells).values())
            where = re.sub(r"\([^)]*\)|\[\d+\]", "", case.change["where"])
            fields[f"{where}.{case.change['field']}"][verdict] += 1
            if verdict == DISAGREES or "fault" in observed:
                wrong.append({"name": case.name, "change": case.change, "core": reported(events),
                              "cells": cells,
                              "verdict": verdict,
                              "kernel": observed})
        return {"fields": [{"field": f, **{v: n[v] for v in RANK}} for f, n in fields.items()],
                "told": wrong}


def counts(rows):
    """How many rows have each verdict."""
    number = collections.Counter(r["verdict"] for r in rows)
    return {v: number[v] for v in RANK}


def guest_facts():
    """How the guest was built."""
    try:
        facts = json.loads(read(f"{TOP}/{GUEST_FACTS}"))
    except FileNotFoundError:
        raise Trouble(f"{GUEST_FACTS} is missing: run 'make guests'") from None
    source = facts["source"]
    return {"version": facts["version"], "source": source["package"] or source["kdir"],
            "source_sha256": source["sha256"],
            "fs_erofs_code_sha256": facts["fs_erofs_code_sha256"],
            "config_sha256": facts["config_sha256"],
            "compiler": facts["compiler"]}


def summary(report):
    words = []
    for what, number in (("vectors and images", report["counts"]),
                         ("changes of the sweep", report["sweep_counts"])):
        if number:
            words.append(f"{sum(number.values())} {what}: {number[AGREES]} as specified, "
                         f"{number[UNSPECIFIED]} not specified, {number[EXPLAINED]} explained, "
                         f"{number[DISAGREES]} unexplained")
    left_out = "only a sample of the field sweep was tried" if report["sampled"] else \
        "the field sweep was left out"
    return "; ".join(words + ([] if report["swept"] and not report["sampled"] else [left_out]))


def tell(rows):
    """What disagrees, one line for each cell; and each image at which a guest ended: with its log,
    if that is not known."""
    for row in rows:
        at = row["kernel"].get("at")
        for column, judged in row["cells"].items():
            known = judged["verdict"] == EXPLAINED
            if judged["verdict"] == DISAGREES or column == at:
                say(f"not ok - {row['name']}: {column}: {judged['value']}{' # TODO' * known}: "
                    f"{judged['why']}")
            if column == at and not known:
                for line in row["kernel"]["tail"].splitlines():
                    say(f"#   {line}")


@contextlib.contextmanager
def only_one():
    """Waits until no other matrix is made here."""
    os.makedirs(f"{TOP}/{WORK}", exist_ok=True)
    with open(f"{TOP}/{WORK}/.lock", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main():
    options = arguments()
    with only_one():
        return make(options)


def make(options):
    """The matrix; returns the exit status."""
    guest = guest_facts()
    shutil.rmtree(f"{TOP}/{cases.PADDED}", ignore_errors=True)
    matrix = Matrix()
    rows = matrix.rows()
    if matrix.kernel != guest["version"]:
        raise Trouble(f"the guest runs Linux {matrix.kernel}, but {GUEST_FACTS} is about "
                      f"{guest['version']}")
    swept = None if options.no_sweep else matrix.sweep(options.sample)
    complete = bool(swept) and not options.sample
    report = {"kernel": matrix.kernel, "guest": guest,
              "tools": {"erofs-ishare": version("build/erofs-ishare"),
                        "fsck.erofs": version(matrix.utils.fsck_program),
                        "dump.erofs": version(matrix.utils.dump_program)},
              "rates": matrix.rates, "counts": counts(rows), "swept": bool(swept),
              "sampled": bool(options.sample),
              "sweep_counts": None, "rows": rows,
              "sweep": swept}
    if swept:
        report["sweep_counts"] = {v: sum(f[v] for f in swept["fields"]) for v in RANK}
    with open(f"{TOP}/build/matrix.json", "w", encoding="utf-8") as out:
        json.dump(report, out, indent=1)
        out.write("\n")
    write(f"{TOP}/build/matrix.html", page.page(report))
    tell([*rows, *(swept["told"] if swept else [])])
    stale = [f"known.tsv: {entry}: nothing of the kind was seen"
             for entry in (matrix.known.stale() if complete else ())]
    stale += [f"unspecified.tsv: {entry}" for entry in matrix.open.wrong(complete)]
    stale += matrix.unshown
    for words in stale:
        say(f"not ok - {words}")
    say(summary(report))
    say("build/matrix.html, build/matrix.json")
    wrong = report["counts"][DISAGREES] + (report["sweep_counts"] or {DISAGREES: 0})[DISAGREES]
    return 1 if wrong or stale else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        print(f"matrix: {trouble}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("matrix: interrupted", file=sys.stderr)
        sys.exit(130)
