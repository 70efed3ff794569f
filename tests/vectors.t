#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The test vectors: each rule is reported where the specification says so, and nowhere else; and
the field sweep, which sets every field of every structure to other values: its verdicts are those
of tests/sweep.tsv.

    vectors.t             test
    vectors.t --update    write tests/sweep.tsv
"""

import collections
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

from erofs_ishare import tap
from erofs_ishare.files import read
from erofs_ishare.specc.vectors import sweep_name

VECTORS = "build/spec/vectors"
SWEEP = "build/spec/sweep"
TABLE = "tests/sweep.tsv"
BATCH = 400
BASES = "spec/base"
HEAD = ("# Field\tChange\tImages\tWhat is reported: rules, or none; -RULE: not any more, though of "
        "the base image; "
        "`...`: part of it could not be examined; `!`: none of it could be judged\n")


class Seen:
    """The tool's report on one image."""

    def __init__(self):
        self.rules = {}  # name: severity
        self.unexamined = False
        self.failed = False

    def add(self, event):
        """Takes in one event of the JSON report."""
        if event["type"] == "finding":
            self.rules[event["rule"]] = event["severity"]
        elif event["type"] == "unexamined":
            self.unexamined = True
        elif event["type"] == "failure":
            self.failed = True

    def errors(self):
        """The rules of severity error."""
        return {name for name, severity in self.rules.items() if severity == "error"}

    def words(self, base=None):
        """On one line; what is said of the base, too, is left out, and what is said of that alone
        has a minus."""
        before = base.rules if base else {}
        words = sorted(self.rules.keys() - before.keys())
        words += [f"-{rule}" for rule in sorted(before.keys() - self.rules.keys())]
        words += ["!"] * self.failed + ["..."] * self.unexamined
        return " ".join(words or ["none"])

    def status(self):
        """The exit status that belongs to it."""
        return 2 if self.failed or self.unexamined else 1 if self.errors() else 0


class Crash(Exception):
    """The tool ended as it never may."""


def check(images, *options):
    """(what was said of each image, exit status as said and as belongs to it). Raises Crash."""
    done = tap.run([*tap.TOOL, "check", "--format=json", *options, *images])
    if done.returncode not in (0, 1, 2):
        raise Crash(f"exit status {done.returncode}: {done.stderr[-2000:]}")
    try:
        report = json.loads(done.stdout)
    except ValueError as error:
        raise Crash(f"no JSON: {error}: {done.stderr[-2000:]}") from error
    seen = {image: Seen() for image in images}
    for event in report["events"]:
        seen[event["image"]].add(event)
    belongs = max(s.status() for s in seen.values())
    if done.returncode != belongs or report["exit_status"] != belongs:
        raise Crash(f"exit status {done.returncode}, said to be {report['exit_status']}, "
                    f"where {belongs} belongs")
    return seen


def check_each(images, *options):
    """The same for many, in batches; a batch that crashes is tried image by image."""
    try:
        return check(images, *options)
    except Crash as crash:
        if len(images) == 1:
            return {images[0]: crash}
    half = len(images) // 2
    return check_each(images[:half], *options) | check_each(images[half:], *options)


# ---- vectors ----

def load(name):
    """A manifest."""
    return json.loads(read(f"{tap.TOP}/{VECTORS}/{name}"))


def vector_seen(vector):
    """The report on a vector, on all its images together."""
    options = [f"--device={VECTORS}/{d}" for d in vector["devices"]]
    images = [f"{VECTORS}/{vector['file']}"]
    if vector.get("second"):
        images.append(f"{VECTORS}/{vector['second']}")
        options.append("--domain")
    if vector["digests"]:
        options += ["--digests", "--domain"]
    together = Seen()
    for seen in check(images, *options).values():
        together.rules.update(seen.rules)
        together.unexamined |= seen.unexamined
    return together


def vector_complaints(vector, seen):
    """The errors in the report on a vector."""
    rule = vector["rule"]
    if vector["kind"] == "fails" and rule not in seen.rules:
        yield f"{rule} is not reported, but: {seen.words()}"
    if vector["kind"] == "fails" and seen.rules.get(rule, vector["severity"]) != vector["severity"]:
        yield f"{rule} is reported as {seen.rules[rule]}, not {vector['severity']}"
    if vector["kind"] == "holds" and rule in seen.rules:
        yield f"{rule} is reported"
    others = seen.errors() - {rule} - set(vector["also"])
    if others:
        yield f"reported, too: {', '.join(sorted(others))}"


def test_vectors():
    """One point for each vector; those that accept any verdict are listed."""
    manifest = load("manifest.json")
    tap.ok(manifest, "there are vectors")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(try_vector, manifest))
    for vector, seen in zip(manifest, said):
        name = f"{vector['rule']}/{vector['kind']}"
        edits = f"{vector['file']}: {json.dumps(vector['edits'])}"
        if isinstance(seen, Crash):
            tap.ok(False, name, edits, seen)
        elif vector["kind"] == "either":
            print(f"# either: {vector['file']}: {seen.words()}")
        else:
            wrong = list(vector_complaints(vector, seen))
            tap.ok(not wrong, name, edits, *wrong)
    test_coverage(manifest)


def try_vector(vector):
    """The report on a vector, or the Crash."""
    try:
        return vector_seen(vector)
    except Crash as crash:
        return crash


def test_coverage(manifest):
    """Each rule that an image can break is broken by one vector and kept by another."""
    rules = tap.run([*tap.TOOL, "rules"]).stdout
    tap.ok(rules.strip(), "the tool lists rules")
    kinds = collections.defaultdict(set)
    for vector in manifest:
        kinds[vector["rule"]].add(vector["kind"])
    tap.is_empty([r for r in kinds if r not in rules],
                 "each rule with a vector is one of the tool's")
    tap.is_empty([f"{r}: {' '.join(sorted(k))}" for r, k in sorted(kinds.items())
                  if not {"holds", "fails"} <= k and "either" not in k],
                 "each rule with a vector has one that holds and one that fails")


# ---- the sweep ----

def field_of(change):
    """The field's name, wherever in the image the structure is."""
    return re.sub(r"\([^)]*\)|\[\d+\]", "", change["where"]) + "." + change["field"]


def sweep_seen():
    """[(change, what was said)] of all changes; crashes are test points."""
    by_devices = collections.defaultdict(list)
    for change in load("manifest-sweep.json"):
        by_devices[tuple(change["devices"])].append(change)
    jobs = []
    for devices, changes in by_devices.items():
        size = 1 if devices else BATCH  # --device goes with one image only
        jobs += [(changes[i:i + size], device_options(devices))
                 for i in range(0, len(changes), size)]
    result = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = [[f"{SWEEP}/{sweep_name(c)}" for c in changes] for changes, _ in jobs]
        said = pool.map(lambda job, names: check_each(names, *job[1]), jobs, files)
        for (changes, _), names, seen in zip(jobs, files, said):
            result += [(change, seen[name]) for change, name in zip(changes, names)]
    return result


def base_seen(changes):
    """{base: what is said of it unchanged}."""
    devices = {c["base"]: c["devices"] for c in changes}
    images = {base: f"{BASES}/{base}.erofs" for base in devices}
    return {base: check([image], *device_options(devices[base]))[image]
            for base, image in images.items()}


def device_options(devices):
    """The extra devices of a base image."""
    return [f"--device={BASES}/{os.path.basename(d)}" for d in devices]


def table(result):
    """{field: lines of the table}."""
    bases = base_seen([c for c, _ in result])
    counts = collections.Counter((field_of(c), c["verb"], seen.words(bases[c["base"]]))
                                 for c, seen in result if isinstance(seen, Seen))
    lines = collections.defaultdict(list)
    for (field, verb, words), count in sorted(counts.items()):
        lines[field].append(f"{field}\t{verb}\t{count}\t{words}")
    return lines


def expected_table():
    """The expected table, as committed."""
    lines = collections.defaultdict(list)
    with open(f"{tap.TOP}/{TABLE}", encoding="utf-8") as data:
        for line in data.read().splitlines():
            if not line.startswith("#"):
                lines[line.split("\t")[0]].append(line)
    return lines


def test_sweep():
    """One point for each field."""
    result = sweep_seen()
    tap.ok(result, "there is a sweep")
    names = [sweep_name(c) for c, _ in result]
    tap.ok(len(set(names)) == len(names), "each change of the sweep has an image of its own")
    tap.is_empty([f"{sweep_name(c)}: {s}" for c, s in result if isinstance(s, Crash)],
                 "the tool survives every change and ends as its report says")
    for base, seen in base_seen([c for c, _ in result]).items():
        tap.ok(not seen.errors() and not seen.failed,
               f"base image {base} breaks no rule of severity error", seen.words())
    now, expected = table(result), expected_table()
    for field in sorted(now.keys() | expected.keys()):
        gone = sorted(set(expected[field]) - set(now[field]))
        new = sorted(set(now[field]) - set(expected[field]))
        tap.ok(not gone and not new, f"sweep over {field}",
               *[f"- {line}" for line in gone], *[f"+ {line}" for line in new])


def update():
    """Writes the table."""
    lines = table(sweep_seen())
    with open(f"{tap.TOP}/{TABLE}", "w", encoding="utf-8") as out:
        out.write(HEAD)
        for field in sorted(lines):
            out.write("".join(f"{line}\n" for line in lines[field]))
    print(f"{TABLE}: {sum(map(len, lines.values()))} lines; read what has changed before it is "
          "committed")


def main(arguments):
    """Test or update."""
    if arguments == ["--update"]:
        update()
        return
    test_vectors()
    test_sweep()
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
