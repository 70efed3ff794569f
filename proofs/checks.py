# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The gates that look at the tree and at its builds, and need no proof."""

import tempfile

import builds
import callgraph
import compiled
import gates
import headers
import promises
import report
from wp import MACHDEPS, SPEC


def texts():
    """{gate: complaints} of those that only read."""
    return {"the core is written in the language that these gates read": gates.plain(),
            "the specification only defines": gates.definitions(SPEC),
            "generated headers have the known forms": headers.generated(),
            "no header has the name of one of the core's": compiled.shadowed(),
            "functions require what requires.tsv has": promises.requires(),
            "contracts determine results": promises.results(),
            "contracts determine what is decoded": promises.decoders()}


def of_builds(plan, proved):
    """{gate: complaints} of those that ask make and compilers."""
    core = compiled.of_core(plan.compiled)
    return {"every build compiles what was proved": compiled.same_text(core, proved),
            "no option changes what the text means": compiled.plain_options(core),
            "every program has the whole core": compiled.whole(plan),
            "no linker replaces its functions": compiled.replaced(plan.links),
            "the kernel's build compiles what was proved": in_kernel(proved),
            "no functions of the core call each other in a circle": callgraph.endless(
                callgraph.of_core(), "gcc"),
            "the library decides each rule by its own function": callgraph.unused(
                report.spec_rules(), callgraph.of_library(plan.compiled), callgraph.of_core())}


def in_kernel(proved):
    """What the kernel's build would compile instead of what was proved."""
    with tempfile.TemporaryDirectory() as directory:
        builds.prepare_kernel(directory)
        return kernel(directory, proved)


def kernel(directory, proved):
    """The same of a copy of the core."""
    wrong, core = builds.kernel(directory)
    return [*wrong, *compiled.same_text(core, proved), *compiled.all_units("the kernel", core),
            *compiled.plain_options(core)]


def of_frama_c(proved):
    """{gate: complaints} of those that ask Frama-C."""
    given = [c for machdep in MACHDEPS for c in compiled.given_by_frama_c(machdep)]
    return {"Frama-C is given what these gates take for it": [
                *compiled.same_text(given, proved), *compiled.all_units("Frama-C", given)],
            "Frama-C sees no circle of calls, either": callgraph.endless(callgraph.of_frama_c(),
                                                                        "Frama-C")}


def everything():
    """What all of them have found."""
    proved, wrong = compiled.given()
    for found in (texts(), of_builds(builds.planned(), proved), of_frama_c(proved)):
        wrong += [complaint for complaints in found.values() for complaint in complaints]
    return wrong
