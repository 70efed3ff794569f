#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The gates that need no prover, on this tree: what would be proved is what is compiled, and
contracts say enough. `proofs/prove` has these gates, too."""

import glob
import os

from erofs_ishare import tap
import builds
import checks
import compiled
from wp import read


def is_of_this_core(guest):
    """Whether a kernel was built from the core as it is now."""
    core = builds.built_kernel(guest)
    return bool(core) and all(os.path.exists(path) for path in copies(core[0])) and all(
        read(path) == read(copy) for path, copy in zip(compiled.core_files(), copies(core[0])))


def copies(compilation):
    """The copies of the core's files, in their order."""
    return [f"{compilation.copies}/{os.path.basename(path)}" for path in compiled.core_files()]


def kernels(proved):
    """The kernels that are there, by the commands that their builds wrote down."""
    guests = [g for g in sorted(glob.glob("build/kernel/*")) if is_of_this_core(g)]
    for guest in guests:
        core = builds.built_kernel(guest)
        tap.is_empty([*compiled.same_text(core, proved), *compiled.all_units(guest, core)],
                     f"{guest} was built of what was proved")
    if not guests:
        tap.skip("kernels were built of what was proved", "no kernel is built of this core")


def main():
    """One test point for each gate."""
    os.chdir(tap.TOP)
    status, said = tap.make("build/spec/.stamp")
    tap.ok(status == 0, "the specification is compiled", said)
    plan = builds.planned()
    proved, wrong = compiled.given()
    tap.is_empty(wrong, "all machines of the proofs are given the same code")
    for found in (checks.texts(), checks.of_builds(plan, proved)):
        for name, complaints in found.items():
            tap.is_empty(complaints, name)
    missing = compiled.missing_compilers(compiled.of_core(plan.compiled))
    if missing:
        tap.skip(f"{', '.join(missing)} compile what was proved",
                 "not installed: gcc's preprocessor had their options")
    kernels(proved)
    tap.done()


main()
