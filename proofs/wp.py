# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Runs Frama-C's WP with cvc5 over files of the core, and reads what it says.

Frama-C's exit status says nothing about proofs, so it is not asked: a file counts as proved when all goals in its log
are valid, the log's summary and the JSON report count the same, and nothing in the log is a warning.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
BUILD = "build/proofs"
SPEC = "build/spec/spec.acsl.h"
TOOLS = {"frama-c": "frama-c-base", "why3": "why3", "cvc5": "cvc5", "gcc": "gcc", "nm": "binutils"}
# The drivers and the form of the log are those of these versions.
VERSIONS = {"frama-c": ("-version", "25."), "why3": ("--version", "1.5."), "cvc5": ("--version", "1.0.")}
INCLUDES = ["-Iref/core", "-Ibuild/spec"]
MACHDEPS = {"gcc_x86_64": "-m64", "gcc_x86_32": "-m32"}
DRIVERS = "/usr/share/why3/drivers"
SECONDS_PER_GOAL = 60
SECONDS_PER_SMOKE_TEST = 2

WHY3_CONF = """[main]
magic = 14
memlimit = 4000
running_provers_max = {jobs}
timelimit = {seconds}

[prover]
name = "CVC5"
version = "{version}"
shortcut = "cvc5"
driver = "{driver}"
command = "{cvc5} --stats --tlimit=%t000 --lang=smt2 %f"
command_steps = "{cvc5} --stats --rlimit=%S --lang=smt2 %f"
editor = ""
in_place = false
interactive = false
"""
# cvc5 ends by abort() when its time is over, and Why3 reads nothing of a program that crashed.
CVC5 = '#!/bin/sh\nulimit -c 0\n{cvc5} "$@" || :\n'

RESULT = re.compile(r"\[wp\] \[([^]]*)\] Goal (?:typed_)?(\S+) : (.*)")
SMOKE = re.compile(r"\[wp\] \[(Passed|Failed)\] Smoke-test typed_(\S+)")


class Unproved(Exception):
    """Why a file does not count as proved."""


def die(message):
    """The proof could not be tried."""
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
    sys.exit(2)


def run(*command, **options):
    """Run a program and return what it did; its output is text."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def read(path):
    """A file's text."""
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text, mode=0o644):
    """Write a file unless it says so already; other programs see the old one or the new one, nothing between."""
    if not os.path.exists(path) or read(path) != text:
        new = f"{path}.{os.getpid()}.new"
        with open(new, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(new, mode)
        os.replace(new, path)


def require_tools():
    """All programs in the versions that are known, or one line that says what to install; returns the versions."""
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        die(f"missing programs: apt install {' '.join(missing)} (or: make deps-prove)")
    found = {}
    for tool, (option, wanted) in VERSIONS.items():
        said = run(tool, option).stdout
        match = re.search(r"\d+\.\d[\w.~+-]*", said)
        found[tool] = match.group() if match else "unknown"
        if not found[tool].startswith(wanted):
            die(f"{tool} is version {found[tool]}, known to work is {wanted}*: apt install {TOOLS[tool]} "
                "of Debian 12")
    if not os.path.exists(SPEC):
        die(f"{SPEC} is missing: run `make prove`, or `make spec` first")
    return found


def configure_why3():
    """Tell Why3 of cvc5, which its own detection does not know; returns the configuration's path."""
    directory = os.path.abspath(f"{BUILD}/why3")
    os.makedirs(directory, exist_ok=True)
    for path in glob.glob(f"{DRIVERS}/*.gen"):
        write(f"{directory}/{os.path.basename(path)}", read(path))
    write(f"{directory}/cvc5.drv", read(f"{DRIVERS}/cvc4_17.drv").replace("ALL_SUPPORTED", "ALL"))
    write(f"{directory}/cvc5", CVC5.format(cvc5=shutil.which("cvc5")), 0o755)
    version = re.search(r"version (\d[\d.]*)", run("cvc5", "--version").stdout).group(1)
    write(f"{directory}/why3.conf",
          WHY3_CONF.format(jobs=os.cpu_count(), seconds=SECONDS_PER_GOAL, version=version,
                           driver=f"{directory}/cvc5.drv", cvc5=f"{directory}/cvc5"))
    return f"{directory}/why3.conf"


class Source:
    """A file of the core."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.unit = self.translation_unit()
        self.functions, self.calls = self.symbols()

    def translation_unit(self):
        """What Frama-C is given: the file itself, or for a header a file that includes it."""
        if self.path.endswith(".c"):
            return self.path
        unit = f"{BUILD}/{self.name}.c"
        write(unit, f'#include "{self.name}"\n')
        return unit

    def symbols(self):
        """The functions that this very file defines, as the compiler sees it, and those that it wants from others."""
        obj = f"{BUILD}/{self.name}.o"
        done = run("gcc", "-std=c11", "-ffreestanding", "-O0", "-g", "-fkeep-inline-functions",
                   "-fkeep-static-functions", *INCLUDES, "-c", "-o", obj, self.unit)
        if done.returncode:
            die(f"{self.path} does not compile:\n{done.stderr}")
        defined, wanted = [], []
        for line in run("nm", "-l", obj).stdout.splitlines():
            match = re.match(r"\S+ [tT] (\S+)\t(.*):\d+$", line)
            if match and os.path.samefile(match.group(2), self.path):
                defined.append(match.group(1))
            match = re.match(r"\s+U (\S+)", line)
            if match:
                wanted.append(match.group(1))
        return defined, wanted

    def dependencies(self):
        """Every file that the unit is made from."""
        made = run("gcc", "-std=c11", "-ffreestanding", *INCLUDES, "-MM", self.unit).stdout
        return made.replace("\\\n", " ").split(":", 1)[1].split()

    def owner(self, goal):
        """The function that a goal belongs to."""
        owners = [f for f in self.functions if goal.startswith(f + "_")]
        return max(owners, key=len) if owners else None


class Prover:
    """Runs WP for one machine, and remembers what it has proved."""

    def __init__(self, machdep, smoke=False):
        self.machdep, self.smoke = machdep, smoke
        self.conf = configure_why3()
        self.options = ["-c11", "-machdep", machdep,
                        "-cpp-extra-args=" + " ".join([MACHDEPS[machdep]] + INCLUDES),
                        "-wp", "-wp-rte", "-warn-unsigned-overflow", "-warn-unsigned-downcast",
                        "-warn-signed-downcast", "-wp-prover", "cvc5"]
        self.limits = ["-wp-timeout", str(SECONDS_PER_GOAL)]
        if smoke:
            self.limits += ["-wp-smoke-tests", "-wp-smoke-timeout", str(SECONDS_PER_SMOKE_TEST)]
        self.environment = {**os.environ, "HOME": "/nonexistent", "WHY3CONFIG": self.conf}

    def base(self, source):
        """Where the results of a file are kept."""
        return f"{BUILD}/{source.name}.{self.machdep}{'.smoke' if self.smoke else ''}"

    def key(self, source):
        """A digest of everything that the proof depends on."""
        digest = hashlib.sha256()
        for path in [os.path.join(HERE, "wp.py")] + source.dependencies():
            with open(path, "rb") as f:
                digest.update(hashlib.sha256(f.read()).digest())
        versions = run("frama-c", "-version").stdout + run("cvc5", "--version").stdout
        digest.update("\0".join(self.options + self.limits + source.functions + [versions]).encode())
        return digest.hexdigest()

    def remembered(self, source):
        """What was proved before and still holds, or None."""
        try:
            proved = json.loads(read(f"{self.base(source)}.proved"))
            return proved["functions"] if proved["key"] == self.key(source) else None
        except (OSError, ValueError, KeyError):
            return None

    def prove(self, source):
        """Prove a file; returns {function: {goals, qed, cvc5, smoke, seconds}}."""
        base = self.base(source)
        report = f"{base}.json"
        if os.path.exists(report):
            os.remove(report)
        os.makedirs(f"{BUILD}/cache", exist_ok=True)
        done = run("frama-c", *self.options, *self.limits,
                   "-wp-cache", "update", "-wp-cache-dir", os.path.abspath(f"{BUILD}/cache"),
                   "-wp-par", str(os.cpu_count()), "-wp-fct", ",".join(source.functions),
                   "-wp-report-json", report, source.unit, env=self.environment)
        log = done.stdout + done.stderr
        write(f"{base}.log", log)
        if done.returncode:
            raise Unproved("frama-c stopped: " + " ".join(log.strip().splitlines()[-4:]))
        functions = self.check_log(source, log)
        total = json.loads(read(report))["wp:global"]["wp:main"]
        if not self.smoke and (total["total"] == 0 or total.get("valid", 0) != total["total"]):
            raise Unproved(f"{total.get('valid', 0)} of {total['total']} goals are valid")
        write(f"{base}.proved", json.dumps({"key": self.key(source), "functions": functions}))
        return functions

    def check_log(self, source, log):
        """Read a log; raise Unproved if it has anything to object or does not add up."""
        found = {f: {"goals": 0, "qed": 0, "cvc5": 0, "smoke": 0, "seconds": 0.0} for f in source.functions}
        complaints = [line for line in log.splitlines() if "Warning:" in line or "[wp] [Failed]" in line]
        for prover, goal, verdict in RESULT.findall(log):
            function = source.owner(goal)
            if not verdict.startswith("Valid"):
                complaints.append(f"{goal}: {verdict.split(' (')[0].lower()}\n    replay it alone: "
                                  f"proofs/prove --machdep {self.machdep} --goal {goal} {source.path}")
            elif function is None:
                complaints.append(f"{goal}: belongs to none of the functions")
            else:
                found[function]["goals"] += 1
                found[function]["cvc5" if prover.startswith("CVC5") else "qed"] += 1
                found[function]["seconds"] = round(found[function]["seconds"] + took(verdict), 3)
        for _, test in SMOKE.findall(log):
            # That of a call bears the name of what is called, which may be of another file.
            found[source.owner(test) or source.functions[0]]["smoke"] += 1
        summary = re.search(r"Proved goals: *(\d+) / (\d+)", log)
        counted = sum(f["goals"] + f["smoke"] for f in found.values())
        if not complaints and (not summary or summary.group(1) != summary.group(2)
                               or int(summary.group(1)) != counted):
            complaints.append(f"the log has {counted} results, but its summary is "
                              f"{summary.group() if summary else 'missing'}")
        if complaints:
            raise Unproved("\n".join(complaints))
        return found

    def replay(self, source, goal):
        """Prove the function of one goal again, trusting nothing, and show what becomes of the goal."""
        function = source.owner(goal)
        if not function:
            die(f"{source.path} has no function that {goal} could belong to")
        properties = clause(goal[len(function) + 1:])
        done = run("frama-c", *self.options, *self.limits, "-wp-cache", "none", "-wp-fct", function,
                   *(["-wp-prop", properties] if properties else []), "-wp-print", source.unit,
                   env=self.environment)
        sys.stdout.write(done.stdout + done.stderr)
        verdicts = [verdict for _, name, verdict in RESULT.findall(done.stdout) if name == goal]
        print(f"{goal}: {verdicts[0] if verdicts else 'there is no such goal'}")
        return bool(verdicts) and verdicts[0].startswith("Valid")


def clause(goal):
    """The name of the clause that a goal, without its function's name, comes from; or its category."""
    goal = re.sub(r"(_part\d+)$", "", goal)
    match = re.match(r"(?:call_\w+?_requires|ensures|assert_rte|assert|loop_invariant)_(\w+?)"
                     r"(?:_\d+)?(?:_preserved|_established)?$", goal)
    if match:
        return match.group(1)
    category = re.match(r"(?:loop_)?(assigns|variant|terminates|exits)", goal)
    return f"@{category.group(1)}" if category else None


def took(text):
    """The seconds that a goal took: simplification and prover."""
    seconds = 0.0
    for minutes, number, unit in re.findall(r"\((?:Qed:)?(?:(\d+)')?([\d.]+)(ms|s)?\)", text):
        seconds += 60 * int(minutes or 0) + float(number) / (1000 if unit == "ms" else 1)
    return seconds
