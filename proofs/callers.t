#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Callers keep the contracts of the core.

In all programs of build/asan, generated functions check each `requires` clause of a function
before it is called (proofs/make-requires), so every test that runs such a program tests its
callers, too. Here, erofs-ishare checks and dumps all images that there are, with all options, and
what it called is counted. proofs/violations.c calls the core as it must not.
"""

import collections
import glob
import itertools
import json
import os
import re
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor

from erofs_ishare import sample, tap
from erofs_ishare.files import read
from erofs_ishare.specc.vectors import sweep_name
import acsl
import translate

REQUIRES = "build/requires"
UNCALLED = "proofs/uncalled.tsv"
VIOLATIONS = f"{tap.TOP}/build/asan/proofs/violations"
VECTORS, SWEEP = "build/spec/vectors", "build/spec/sweep"
IMAGES = ("tests/images/*.erofs", "spec/base/*.erofs", "fuzz/corpus/image/*",
          "fuzz/image/regressions/*.erofs")
BATCH = 400
# Of the sweep: one in so many in a sample; and in any case of changes to an image with devices, and
# of images to dump, since each needs a process.
SAMPLED, DEVICES, DUMPED = 10, 10, 40
# What proofs/violations does in each case, and the clause that it must be said to violate.
ALLOWED = ("empty_view", "walked_records")
FORBIDDEN = {
    "too_long": "ishare_crc32c: requires view", "freed": "ishare_crc32c: requires view",
    "no_pointer": "ishare_crc32c: requires view", "no_view": "ishare_crc32c: requires view",
    "too_large": "ishare_crc32c: requires view",
    "overlap": "ishare_dirent_record_decode: requires apart",
    "out_of_range": "ishare_block_size: requires block_size",
    "through_pointer": "ishare_block_size: requires block_size",
    "of_another_image": "ishare_superblock_judge: requires view",
    "does_not_fit": "ishare_xattr_entry_encode: requires fits",
    "not_walked": "prefix_padding_zero: requires walked",
    "not_decoded": "ishare_entry_next: requires walked",
    "records_not_walked": "ishare_entry_named: requires prefixes",
    "inlined": "ishare_number: requires width"}

# ACSL and what it is worth.
VALUES = {
    "1 <= 2 < 3": True, "1 <= 3 < 3": False, "3 - 1 - 1 == 1": True, "-7 / 2 == -3": True,
    "0xffffffffffffffff + 1 > 0xffffffffffffffff": True, "1 - 2 < 0": True,
    "1 == 2 ==> 3 == 4": True, "1 == 1 ==> 3 == 4": False,
    "1 == 1 ==> 1 == 2 ==> 1 == 3": True, "1 == 2 && 1 == 1 || 1 == 1": True,
    "!(1 == 1) <==> 1 == 2": True, "(6 & 3) == 2 && (6 | 1) == 7 && (6 ^ 3) == 5": True,
    "1 << 40 == 1099511627776 && 256 >> 4 == 16": True, "(1 == 2 ? 3 : 4) == 4": True,
    r"\forall integer i; 0 <= i < 3 ==> i * i < 5": True,
    r"1 == 1 && \forall integer i; 0 <= i < 3 ==> i * i < 4": False,
    "round_up4(5) == 8": True, "two_to(12) == 4096": True}
# Text that must not be translated into anything.
REFUSED = (r"\initialized(v)", r"\exists integer i; 0 <= i < 3", "unheard_of(v)", "view_ok(v, v)",
           "view_ok(v->size)", "v->length <= 3", "v <= 3", "3", "v->size <= 3 4", "v->size <=",
           r"\forall integer i; i < 3 ==> i < 4", r"\valid_read(v->size)", '"a" == v->size',
           r"\old(v->size) == 3", "v->size", "n == 3", "1 == 1 + (2 == 2)")


def text(path):
    """The text of a file of the tree."""
    return read(f"{tap.TOP}/{path}")


# ---- The translation ----

def specification():
    """The definitions of the specification, as the generator reads them."""
    return translate.Specification(text("build/spec/spec.acsl.h"),
                                   text("ref/core/types.h") + text("build/spec/layout.h"))


def computes(spec, clause):
    """A function in C that prints what a predicate is worth."""
    return f'\tputs({spec.predicate(clause, {})} ? "1" : "0");\n'


def translation():
    """C computes what ACSL means, and what is not understood is refused."""
    spec = specification()
    body = "".join(computes(spec, clause) for clause in VALUES)
    source = ('#include <stdio.h>\n#include "core.h"\n#include "requires.h"\n'
              + "".join(f"{head};\n" for head, _ in spec.functions.values())
              + "".join(f"{code}\n" for _, code in spec.functions.values())
              + f"int main(void)\n{{\n{body}\treturn 0;\n}}\n")
    with tempfile.TemporaryDirectory() as where:
        with open(f"{where}/values.c", "w", encoding="utf-8") as out:
            out.write(source)
        built = tap.run(["gcc", "-std=gnu11", "-Iref/core", "-Ibuild/spec", "-Iproofs", "-o",
                         f"{where}/values", f"{where}/values.c"])
        said = tap.run([f"{where}/values"]).stdout.split() if built.returncode == 0 else []
    tap.is_empty([clause for clause, value in itertools.zip_longest(VALUES, said)
                  if value != str(int(VALUES[clause]))],
                 "C computes what the clauses mean")
    if built.returncode:
        tap.ok(False, "what the clauses become can be compiled", built.stderr)
    view = {"v": "struct ishare_view *"}
    tap.is_empty([clause for clause in REFUSED if not refused(clause, view)],
                 "a clause that is not understood is refused")


def refused(clause, variables):
    """Whether a clause has no translation."""
    try:
        specification().predicate(clause, variables)
    except translate.Untranslated:
        return True
    return False


# ---- The checks ----

def contracts():
    """The contracts of the functions that callers outside the core can call."""
    headers = [*sorted(glob.glob("ref/core/*.h", root_dir=tap.TOP)), "build/spec/codec.h"]
    return [c for path in headers for c in acsl.contracts(path, text(path))]


def every_clause(required):
    """Each `requires` clause of each function is checked."""
    checks = dict(re.findall(r"^[^\n]*\bchecked_(\w+)\([^;{}]*\)\n(\{.*?^\})",
                             text(f"{REQUIRES}/contracts.c"), re.M | re.S))
    clauses = [(c.function, clause) for c in required for clause in c.clauses
               if clause.kind == "requires"]
    tap.is_empty([f"{function}: {clause.name}" for function, clause in clauses
                  if f'"requires {clause.name}: ' not in checks.get(function, "")],
                 f"{len(clauses)} clauses of {len(required)} functions are checked, all there are")


def violations():
    """What is forbidden is reported, with its place; what is allowed is not."""
    cases = set(re.findall(r'^\t\{ "(\w+)", \w+ \},$', text("proofs/violations.c"), re.M))
    tap.ok(cases == {*ALLOWED, *FORBIDDEN, "constant"}, "each case of violations.c is tried",
           cases ^ {*ALLOWED, *FORBIDDEN, "constant"})
    for case in ALLOWED:
        done = tap.run([VIOLATIONS, case])
        tap.ok(done.returncode == 0, f"{case}: allowed", done.stderr)
    for case, clause in FORBIDDEN.items():
        done = tap.run([VIOLATIONS, case])
        tap.ok(done.returncode == -signal.SIGABRT
               and done.stderr.startswith(f"broken: contract: {clause}: ")
               and re.search(r" in \w+ \S*proofs/violations\.c:\d+(:\d+)?$", done.stderr, re.M),
               f"{case}: it violates {clause}", done.returncode, done.stderr)
    done = tap.run([VIOLATIONS, "constant"])
    tap.ok("AddressSanitizer: SEGV" in done.stderr and " in writable " in done.stderr,
           "constant: it cannot be written to", done.returncode, done.stderr)


# ---- Runs ----

class Runs:
    """Runs erofs-ishare, and knows what ended badly."""

    def __init__(self, calls):
        self.environment = {**os.environ, "ISHARE_CALLS": calls}
        self.bad, self.count = [], 0

    def run(self, arguments):
        """One command: whatever is wrong with images, the program itself is well."""
        done = tap.run([*tap.TOOL, *arguments], env=self.environment)
        self.count += 1
        if done.returncode not in (0, 1, 2) or re.search(r"^broken: |Sanitizer: |runtime error: ",
                                                         done.stderr, re.M):
            shown = " ".join(arguments[:8])
            self.bad.append(f"{shown}: exit status {done.returncode}: {done.stderr[:3000]}")


def in_batches(images):
    """Commands that check images, many at a time."""
    return [["check", "--format=json", "--digests", "--domain", *images[i:i + BATCH]]
            for i in range(0, len(images), BATCH)]


def with_devices(image, devices):
    """Commands for an image with extra devices."""
    options = [f"--device={device}" for device in devices]
    return [["check", "--format=json", "--digests", "--domain", image, *options],
            ["dump", image, *options]]


def images():
    """Commands for all images that are at hand, each by itself and all together."""
    vectors = json.loads(text(f"{VECTORS}/manifest.json"))
    alone = [v for v in vectors if not v["devices"]]
    names = [path for pattern in IMAGES for path in sorted(glob.glob(pattern, root_dir=tap.TOP))]
    names += [f"{VECTORS}/{v[key]}" for v in alone for key in ("file", "second") if v.get(key)]
    commands = in_batches(names) + [["dump", name] for name in names]
    for v in vectors:
        if v["devices"]:
            commands += with_devices(f"{VECTORS}/{v['file']}",
                                     [f"{VECTORS}/{d}" for d in v["devices"]])
    return commands


def partitioned(path):
    """A command for a disk with a GPT and a protective MBR, which has no image."""
    disk = bytearray(8192)
    disk[446 + 4], disk[446 + 8], disk[510:512] = 0xEE, 1, b"\x55\xaa"
    disk[512:520] = b"EFI PART"
    disk[512 + 72], disk[512 + 80], disk[512 + 84] = 2, 1, 128  # one entry, in sector 2
    disk[1024], disk[1024 + 32] = 1, 4
    with open(path, "wb") as file:
        file.write(disk)
    return ["check", path]


def sweep():
    """Commands for the field sweep."""
    seed = sample.seed()
    manifest = json.loads(text(f"{VECTORS}/manifest-sweep.json"))
    changes = {sweep_name(c): c["devices"] for c in manifest}
    names = list(changes)
    if seed:
        names = sample.one_in(seed, "callers", names, SAMPLED)
        sample.note(f"callers.t: {len(names)} of {len(changes)} changes of the field sweep")
    alone = [f"{SWEEP}/{name}" for name in names if not changes[name]]
    commands = in_batches(alone) + [["dump", image] for image in alone[::DUMPED]]
    for name in [name for name in names if changes[name]][::DEVICES]:
        commands += with_devices(f"{SWEEP}/{name}", [
            f"spec/base/{os.path.basename(d)}" for d in changes[name]])
    return commands


def counted(path):
    """{function: calls}."""
    calls = collections.Counter()
    with open(path, encoding="ascii") as file:
        for line in file:
            name, number = line.split()
            calls[name] += int(number)
    return calls


def named():
    """What is called from outside the core, whose objects call each other, too."""
    objects = [f"build/asan/{path[:-2]}.o" for path in glob.glob("ref/*/*.c", root_dir=tap.TOP)
               if not path.startswith("ref/core/")]
    symbols = tap.run(["nm", "--undefined-only", *objects]).stdout
    return set(re.findall(r" U (?:checked_)?(\w+)$", symbols, re.M))


def uncalled():
    """{function: why erofs-ishare does not call it}."""
    return dict(line.split("\t") for line in text(UNCALLED).splitlines()
                if not line.startswith("#"))


def runs(required):
    """Nothing is violated, and each function that is checked is called."""
    with tempfile.TemporaryDirectory() as where:
        program = Runs(f"{where}/calls")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(program.run, [partitioned(f"{where}/disk"), *images(), *sweep()]))
        calls = counted(f"{where}/calls")
    tap.is_empty(program.bad, "no contract is violated")
    print(f"# {sum(calls.values())} calls of {len(calls)} functions in {program.count} runs")
    functions, listed, used = {c.function for c in required}, uncalled(), named()
    tap.ok(used & functions, "it is known what erofs-ishare calls", "nm lists nothing")
    tap.is_empty(sorted(functions - calls.keys() - listed.keys()),
                 f"each function is called, or {UNCALLED} says why not")
    tap.is_empty(sorted(listed.keys() & used | listed.keys() - functions),
                 f"{UNCALLED} lists nothing else")


def main():
    required = contracts()
    translation()
    every_clause(required)
    violations()
    runs(required)
    tap.done()


main()
