#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The harness for images: it accepts sound code, and detects a violation of each property."""

import glob
import os
import re
import shutil
import tempfile

from erofs_ishare import sample, tap
from erofs_ishare.circles import calls, circles
from erofs_ishare.files import read

HARNESS = f"{tap.TOP}/build/fuzz/libfuzzer/image"
REGRESSIONS = f"{tap.TOP}/fuzz/image/regressions"
INPUTS = {
    "small images": "tests/images/*-512.erofs", "base images": "spec/base/*.erofs",
    "test vectors": "build/spec/vectors/*/*.erofs", "the corpus": "fuzz/corpus/image/*.erofs"}

# Planted defects that AFL++ finds in seconds; `make test-fuzz-planted` has it search for all.
QUICK = ("comparison", "padding")
QUICK_SECONDS = 120
# In a sample, one in so many of the broken harnesses is tried; fuzz/image/image.mk builds these.
BROKEN_ONE_IN = 3

# Every report is written in every format, as is otherwise done for few inputs.
ENVIRONMENT = os.environ | {"FUZZ_FORMATS": "1", "ASAN_OPTIONS": "detect_leaks=1"}


def files(pattern):
    """The files that match."""
    return sorted(glob.glob(f"{tap.TOP}/{pattern}"))


def said(done):
    """Why a harness stopped."""
    lines = [line for line in done.stderr.splitlines() if re.search(r"^broken: |ERROR: ", line)]
    return lines[0] if lines else f"exit status {done.returncode}"


def accepts():
    """Sound code, all inputs there are."""
    for name, pattern in INPUTS.items():
        inputs = files(pattern)
        done = tap.run([HARNESS, *inputs], env=ENVIRONMENT)
        tap.ok(inputs and done.returncode == 0, f"the harness has nothing against {name}",
               said(done), f"{len(inputs)} inputs match {pattern}")


def regressions():
    """Each input that once failed; and each has a line that says what it prevents."""
    lines = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", read(f"{REGRESSIONS}/README.md"), re.M))
    names = sorted(set(os.listdir(REGRESSIONS)) - {"README.md", "kernel"})
    tap.ok(names == sorted(lines), "each input that once failed has a line on what it prevents",
           names, sorted(lines))
    for name in names:
        done = tap.run([HARNESS, f"{REGRESSIONS}/{name}"], env=ENVIRONMENT)
        tap.ok(done.returncode == 0, f"{name} no longer fails", said(done))


def arguments():
    """A file that cannot be read is not one that does not fail."""
    with tempfile.TemporaryDirectory() as where:
        with open(f"{where}/large", "wb") as out:
            out.truncate(2 << 20)
        for path, why in (("absent", "No such file"), (".", "not a file"),
                          ("large", "larger than 1048576 bytes")):
            done = tap.run([f"{tap.TOP}/build/fuzz/afl-asan/image", f"{where}/{path}"])
            tap.ok(done.returncode == 2 and why in done.stderr,
                   f"the harness says what it cannot read: {why}", done.returncode, done.stderr)


def broken():
    """Each property, in a harness built with what breaks it: PROPERTY.patch, or
    PROPERTY_ANYTHING.patch."""
    source = read(f"{tap.TOP}/fuzz/image/image.c")
    properties = {*re.findall(r'broken\("([a-z.-]+)"', source), "text", "json", "sarif", "limit"}
    patches = files("fuzz/image/broken/*.patch")
    names = {os.path.basename(patch).removesuffix(".patch") for patch in patches}
    tap.is_empty((properties | {"contract", "fields"}) - names, "there is a defect for each property")
    inputs = [path for pattern in INPUTS.values() for path in files(pattern)]
    tried = sample.one_in(sample.seed(), "broken harnesses", sorted(names), BROKEN_ONE_IN)
    if len(tried) < len(names):
        sample.note(f"{len(tried)} of {len(names)} harnesses that are broken in different ways")
    for name in tried:
        done = tap.run([f"{tap.TOP}/build/fuzz/broken/{name}/image", *inputs], env=ENVIRONMENT)
        tap.ok(done.returncode != 0 and said(done).startswith(f"broken: {name.split('_')[0]}: "),
               f"the harness sees that {name} is broken", said(done))


def planted():
    """Defects in core, which no sound image shows; AFL++ finds them."""
    for path in files("fuzz/planted/image/*.patch"):
        name = os.path.basename(path).removesuffix(".patch")
        harness = f"{tap.TOP}/build/fuzz/planted/{name}/afl-asan/image"
        done = tap.run([harness, *files("spec/base/*.erofs")])
        tap.ok(done.returncode == 0, f"no base image shows the planted defect {name}", said(done))
    # That each field is what its bytes say is compared before the second copy's check, which has no
    # such defect.
    done = tap.run([f"{tap.TOP}/build/fuzz/planted/endianness/afl-asan/image",
                    *files(INPUTS["the corpus"])])
    tap.ok(said(done).startswith("broken: fields: deviceslot.uniaddr_hi "),
           "the planted defect endianness is seen without the second copy", said(done))
    for name in QUICK:
        done = tap.run([f"{tap.TOP}/fuzz/planted/try", name, str(QUICK_SECONDS)])
        tap.ok(done.returncode == 0, f"AFL++ finds the planted defect {name} in {QUICK_SECONDS} s",
               done.stdout + done.stderr)


def show_maps(harness, inputs):
    """(what afl-showmap says, {input: where it went}): all inputs through one fork server, in their
    order."""
    with tempfile.TemporaryDirectory() as where:
        os.mkdir(f"{where}/in")
        for i, path in enumerate(inputs):
            shutil.copy(path, f"{where}/in/{i}")
        done = tap.run(["afl-showmap", "-t", "5000", "-i", f"{where}/in", "-o", f"{where}/out",
                        "--", harness],
                       env=os.environ | {"AFL_NO_AFFINITY": "1"})
        maps = {}
        for i, path in enumerate(inputs):
            maps[path] = read(f"{where}/out/{i}")
        return done.stdout + done.stderr, maps


def fork_server():
    """Ours, under AFL++: it goes on behind an input that ends the process, and what is reported is
    each input's own."""
    good = files("spec/base/*.erofs")[:4]
    bad = glob.glob(f"{tap.TOP}/build/fuzz/planted/{QUICK[0]}/campaign/out/*/crashes/id:*")[:1]
    harness = f"{tap.TOP}/build/fuzz/planted/{QUICK[0]}/afl/image"
    _, expected = show_maps(harness, good)
    text, maps = show_maps(harness, good[:2] + bad + good[2:])
    tap.ok(bad and text.count("killed by signal 6") == 1,
           "the fork server reports the one input that ends the process", text)
    tap.ok(all(maps[path] == expected[path] for path in good) and len(set(expected.values()))
           == len(good), "and runs the others as if that had not been", text)


def bad_input():
    """Wrong use of the tools."""
    with tempfile.TemporaryDirectory() as unbuilt:
        shutil.copytree(f"{tap.TOP}/fuzz", f"{unbuilt}/fuzz")
        for name, why in (("nonesuch", "NAME is 'nonesuch', not one of: bound, "),
                          ("bound", "run `make fuzzers-image-planted`"),
                          ("../bound", "NAME is")):
            done = tap.run([f"{unbuilt}/fuzz/planted/try", name])
            tap.ok(done.returncode == 2 and why in done.stderr and done.stderr.count("\n") == 1,
                   f"try says about {name}: {why}", done.stderr)


def one_way():
    """The harness's own files use each other one way."""
    built = files("build/fuzz/libfuzzer/fuzz/image/*.o")
    graph = calls({os.path.basename(path): path for path in built})
    tap.ok(len(graph) > 2, "the harness's files need each other", graph)
    tap.is_empty(circles(graph), "no file of the harness needs itself by way of others")


def main():
    one_way()
    accepts()
    regressions()
    arguments()
    broken()
    planted()
    fork_server()
    bad_input()
    tap.done()


main()
