#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""A 32-bit and a big-endian program print the same as the native one, to the byte, and pass the
same unit tests. They are built to crash on undefined behaviour."""

import glob
import os
import re
from concurrent.futures import ThreadPoolExecutor

from erofs_ishare import sample, tap

# Architecture, what its programs are, and the emulator that runs them where the machine itself does
# not.
ARCHITECTURES = [("i386", "ELF 32-bit, little-endian", b"\x7fELF\x01\x01", "qemu-i386"),
                 ("s390x", "ELF 64-bit, big-endian", b"\x7fELF\x02\x02", "qemu-s390x")]
NATIVE = f"{tap.TOP}/build"
BATCH = 300
SWEEP_ONE_IN = 10


def images(pattern):
    """Paths below the top of the tree, so that all programs report the same names."""
    return sorted(os.path.relpath(p, tap.TOP)
                  for p in glob.glob(f"{tap.TOP}/{pattern}", recursive=True))


def runner(architecture, emulator):
    """The command prefix that runs a foreign program here."""
    try:
        tap.run([f"{tap.TOP}/build/{architecture}/erofs-ishare", "--version"])
        return []
    except OSError:
        return [emulator]


def outcome(command):
    """Exit status and output, without the time it took and the directory of the program."""
    done = tap.run(command)
    said = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0', done.stdout)
    said = re.sub(r"\d+\.\d+ s$", "0 s", said, flags=re.M)
    return done.returncode, said, done.stderr


def difference(arguments, native, foreign):
    """Describes two different outcomes."""
    lines = [f"erofs-ishare {' '.join(arguments)[:200]}",
             f"exit status {native[0]} and {foreign[0]}"]
    for a, b in zip(native[1].split("\n") + native[2].split("\n"),
                    foreign[1].split("\n") + foreign[2].split("\n")):
        if a != b:
            return lines + [f"- {a[:500]}", f"+ {b[:500]}"]
    return lines + ["one says more than the other"]


def compare(name, before, architecture, jobs):
    """One point: all jobs, lists of arguments, have the same outcome."""
    def both(arguments):
        native = outcome([f"{NATIVE}/erofs-ishare", *arguments])
        foreign = outcome([*before, f"{tap.TOP}/build/{architecture}/erofs-ishare", *arguments])
        return None if native == foreign else difference(arguments, native, foreign)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [d for d in pool.map(both, jobs) if d]
    tap.ok(jobs and not wrong, f"{architecture}: {name}", *(wrong[0] if wrong else []),
           f"{len(wrong)} of {len(jobs)} differ")


def batches(files, *options):
    """Jobs that check many images each."""
    return [["check", "--format=json", *options, *files[i:i + BATCH]]
            for i in range(0, len(files), BATCH)]


def sweep(architecture):
    """The images of the field sweep; in a sample, one in ten, other ones for each architecture."""
    every = images("build/spec/sweep/**/*.erofs")
    some = sample.one_in(sample.seed(), f"sweep {architecture}", every, SWEEP_ONE_IN)
    if len(some) < len(every):
        sample.note(f"{len(some)} of {len(every)} changes of the field sweep on {architecture}")
    return some


def test_architecture(architecture, kind, magic, emulator):
    """All tests, on one architecture."""
    program = f"{tap.TOP}/build/{architecture}/erofs-ishare"
    with open(program, "rb") as data:
        tap.ok(data.read(6) == magic, f"{architecture}: the program is {kind}")
    before = runner(architecture, emulator)
    done = tap.run([*before, program, "--version"])
    if not tap.ok(done.returncode == 0, f"{architecture}: the program runs", done.stderr):
        return
    real, vectors = images("tests/images/*.erofs"), images("build/spec/vectors/**/*.erofs")
    compare("check of the images", before, architecture, batches(real))
    compare("check of the images, as text", before, architecture, [["check", i] for i in real])
    compare("check of the images, with digests", before, architecture, batches(real, "--digests"))
    compare("check of the images, as one domain", before, architecture,
            [["check", "--format=json", "--domain", *real]])
    compare("check for other page sizes", before, architecture,
            batches(real, "--profile=linux-7.3/64k"))
    compare("dump of the images", before, architecture, [["dump", i] for i in real])
    compare("dump of the images, as JSON", before, architecture,
            [["dump", "--format=json", i] for i in real])
    compare("check of the vectors", before, architecture, batches(vectors))
    compare("dump of the vectors", before, architecture, [["dump", i] for i in vectors])
    compare("check of the sweep", before, architecture, batches(sweep(architecture)))
    for unit in images("tests/unit/*_test.c"):
        name = unit[:-2]
        done = tap.run([*before, f"{tap.TOP}/build/{architecture}/{name}"])
        tap.ok(done.returncode == 0 and "\nok " in done.stdout and "not ok" not in done.stdout,
               f"{architecture}: {os.path.basename(name)}", done.stdout, done.stderr)


def main():
    """Every architecture."""
    for architecture in ARCHITECTURES:
        test_architecture(*architecture)
    tap.done()


if __name__ == "__main__":
    main()
