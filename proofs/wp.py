# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Runs Frama-C's WP with cvc5 over functions of the core, and reads what it says.

Frama-C's exit status says nothing about proofs, so it is not asked: a function counts as proved
when all goals in its log are valid, the log's summary and the JSON report count the same, and
nothing in the log is a warning. Smoke tests pass when cvc5 finds no proof, and so when it is not
even running; that it did run is seen to here.
"""

import functools
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import mutate

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
BUILD = "build/proofs"
SPEC = "build/spec/spec.acsl.h"
CODEC = ("build/spec/codec.c", "build/spec/codec.h")
TOOLS = {"frama-c": "frama-c-base", "why3": "why3", "cvc5": "cvc5", "gcc": "gcc", "nm": "binutils"}
# The drivers and the form of the log are those of these versions.
VERSIONS = {"frama-c": ("-version", "25."), "why3": ("--version", "1.5."),
            "cvc5": ("--version", "1.0.")}
INCLUDES = ["-Iref/core", "-Ibuild/spec"]
# Options of the preprocessor. ppc_32 is big-endian; the core asks a preprocessor for no more than
# the word size.
MACHDEPS = {"gcc_x86_64": "-m64", "gcc_x86_32": "-m32", "ppc_32": "-m32"}
DRIVERS = "/usr/share/why3/drivers"
# What nm calls a symbol that is wanted, and one that is no code; what else it knows is a function.
UNDEFINED, DATA = "Uwv", "BbCDdGgNnpRrSsV"
# Of the processor's time: Frama-C, Why3 and cvc5 themselves count the time that passes, in which a
# busy machine may hardly run a prover. They are given PATIENCE times as much.
SECONDS_PER_GOAL = 60
PATIENCE = 10
# Frama-C sleeps between goals; so many of them keep a processor busy.
FRAMA_C_PER_PROCESSOR = 3
SECONDS_PER_SMOKE_TEST = 1
SECONDS_PER_FUNCTION = 1800

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
command = "{cvc5} %t --stats --lang=smt2 %f"
command_steps = "{cvc5} %t --stats --rlimit=%S --lang=smt2 %f"
editor = ""
in_place = false
interactive = false
"""
# When cvc5 ends without an answer, or hangs and is killed, Frama-C would take that for a smoke test
# that is passed; so the file $CVC5_TRIES gets a line for each try and one for each answer.
CVC5 = """#!/bin/sh
ulimit -c 0
seconds=$1
shift
note()
{{
	[ -z "$CVC5_TRIES" ] || echo "$1" >>"$CVC5_TRIES"
}}

note try
said=$(ulimit -S -t "$((seconds / {patience}))"
	timeout -k 1 "$((seconds + 5))" {cvc5} "$@" 2>&1)
status=$?
if [ "$status" -gt 128 ] && [ "$(kill -l "$status")" = XCPU ]; then
	said="cvc5 interrupted by timeout."
fi
if printf '%s\\n' "$said" | grep -Eq '^(unsat|sat|unknown)($|cvc5::)|interrupted by timeout'; then
	note answer
fi
printf '%s\\n' "$said"
"""

RESULT = re.compile(r"\[wp\] \[([^]]*)\] Goal (?:typed_)?(\S+) : (.*)")
# What is a step of a proof and claims nothing; the rest of a function's goals are what its contract
# and the language demand.
STEP = re.compile(r"_assert_(?!rte_)|_loop_invariant_")
NO_FIGURES = {"goals": 0, "steps": 0, "ensures": 0, "qed": 0, "cvc5": 0, "smoke": 0, "seconds": 0.0}
SMOKE = re.compile(r"\[wp\] \[(Passed|Failed)\] Smoke-test (?:typed_)?(\S+)")


class Unproved(Exception):
    """Why a function does not count as proved."""


class Unanswered(Unproved):
    """The prover broke down, or had no processor to run on."""


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


def core_files():
    """All C files of the core, generated ones included."""
    return sorted([*CODEC, *glob.glob("ref/core/*.[ch]")])


def write(path, text, mode=0o644):
    """Write a file unless it says so already; other programs see the old one or the new one,
    nothing between."""
    if not os.path.exists(path) or read(path) != text:
        new = f"{path}.{os.getpid()}.new"
        with open(new, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(new, mode)
        os.replace(new, path)


@functools.lru_cache(maxsize=None)
def versions():
    """{program: its version} of what proves."""
    found = {}
    for tool, (option, _) in VERSIONS.items():
        match = re.search(r"\d+\.\d[\w.~+-]*", run(tool, option).stdout)
        found[tool] = match.group() if match else "unknown"
    return found


def require_tools():
    """All programs in the versions that are known, or one line that says what to install."""
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        die(f"missing programs: apt install {' '.join(missing)} (or: make deps-proofs)")
    for tool, version in versions().items():
        if not version.startswith(VERSIONS[tool][1]):
            die(f"{tool} is version {version}, known to work is {VERSIONS[tool][1]}*: apt install "
                f"{TOOLS[tool]} of Debian 12")
    if not os.path.exists(SPEC):
        die(f"{SPEC} is missing: run `make test-proofs`, or `make spec` first")


def configure_why3():
    """Tell Why3 of cvc5, which its own detection does not know; returns the configuration's
    path."""
    directory = os.path.abspath(f"{BUILD}/why3")
    os.makedirs(directory, exist_ok=True)
    for path in glob.glob(f"{DRIVERS}/*.gen"):
        write(f"{directory}/{os.path.basename(path)}", read(path))
    write(f"{directory}/cvc5.drv", read(f"{DRIVERS}/cvc4_17.drv").replace("ALL_SUPPORTED", "ALL"))
    write(f"{directory}/cvc5", CVC5.format(cvc5=shutil.which("cvc5"), patience=PATIENCE), 0o755)
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
        self.files = self.dependencies()

    def translation_unit(self):
        """What Frama-C is given: the file itself, or for a header a file that includes it."""
        if self.path.endswith(".c"):
            return self.path
        unit = f"{BUILD}/{self.name}.c"
        write(unit, f'#include "{self.name}"\n')
        return unit

    def symbols(self):
        """The functions that this very file defines, as the compiler sees it, and those that it
        wants from others."""
        obj = f"{BUILD}/{self.name}.o"
        done = run("gcc", "-std=c11", "-ffreestanding", "-O0", "-g", "-fkeep-inline-functions",
                   "-fkeep-static-functions", *INCLUDES, "-c", "-o", obj, self.unit)
        if done.returncode:
            die(f"{self.path} does not compile:\n{done.stderr}")
        core = {os.path.realpath(path) for path in core_files()}
        defined, wanted = [], []
        for line in run("nm", "-l", obj).stdout.splitlines():
            letter, name, place = re.match(r"[\da-f\s]* (\w) (\S+)(?:\t(.*):\d+)?$", line).groups()
            if letter in UNDEFINED:
                wanted.append(name)
            elif letter not in DATA:
                place = os.path.realpath(place or "nowhere")
                if place not in core:
                    die(f"{self.path} has a function {name}() that no file of the core defines, so "
                        "nothing proves it")
                if place == os.path.realpath(self.path):
                    defined.append(name)
        return defined, wanted

    def dependencies(self):
        """Every file that the unit is made from."""
        made = run("gcc", "-std=c11", "-ffreestanding", *INCLUDES, "-MM", self.unit).stdout
        return made.replace("\\\n", " ").split(":", 1)[1].split()

    def relevant(self, function):
        """The text that the proof of a function depends on: of others the contracts, but not what
        they do."""
        return "\0".join(without_bodies(path, function if path == self.path else None)
                         for path in self.files)

    def owner(self, goal):
        """The function that a goal belongs to."""
        owners = [f for f in self.functions if goal.startswith(f + "_")]
        return max(owners, key=len) if owners else None


@functools.lru_cache(maxsize=None)
def bodies(text):
    """(name, start, end) of the body of each function in a text."""
    return [(name, start, end) for name, _, start, end in mutate.functions(mutate.blank(text))]


def without_bodies(path, kept):
    """A file without what its functions do, except for one."""
    text = read(path)
    for name, start, end in reversed(bodies(text)):
        if name != kept:
            text = text[:start] + text[end:]
    return text


def forget_failures():
    """Let Frama-C try again what was not proved: it remembers failures, too, and those of a prover
    that broke down."""
    for path in glob.glob(f"{BUILD}/cache/*.json"):
        # Not as JSON: times such as `2.` are none.
        try:
            valid = '"verdict": "valid"' in read(path)
        except FileNotFoundError:
            continue
        if not valid:
            try_to_remove(path)


def unanswered(path):
    """How often cvc5 was asked and did not answer."""
    try:
        notes = read(path).split()
    except FileNotFoundError:
        return 0
    return notes.count("try") - notes.count("answer")


def try_to_remove(path):
    """Removes a file that another process may have removed."""
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


# No input is allowed here; to see that takes a prover, not only a simplifier.
CONTROL = """#include "types.h"
/*@ requires readable: \\valid_read(p + (0 .. n - 1));
    requires zero: \\forall integer i; 0 <= i < n ==> p[i] == 0;
    requires other: \\exists integer i; 0 <= i < n && p[i] != 0;
    terminates \\true;
    exits \\false;
    assigns \\nothing;
    ensures value: \\result == n; */
uint32_t control(const uint8_t *p, uint32_t n)
{
	return n;
}
"""


def options(machdep):
    """Frama-C's options for a machine and for what is to be proved."""
    return ["-c11", "-machdep", machdep,
            "-cpp-extra-args=" + " ".join([MACHDEPS[machdep]] + INCLUDES),
            "-wp", "-wp-rte", "-warn-unsigned-overflow", "-warn-unsigned-downcast",
            "-warn-signed-downcast",
            "-warn-invalid-pointer", "-wp-prover", "cvc5"]


def limits(smoke, patience=1):
    """Frama-C's options for how long a goal may take, and for smoke tests. By its clock a second of
    the processor's time may take `patience` seconds."""
    found = ["-wp-timeout", str(patience * SECONDS_PER_GOAL)]
    if smoke:
        found += ["-wp-smoke-tests", "-wp-smoke-timeout", str(patience * SECONDS_PER_SMOKE_TEST)]
    return found


class Prover:
    """Runs WP for one machine, and remembers what it has proved."""

    def __init__(self, machdep, smoke=False):
        self.machdep, self.smoke = machdep, smoke
        self.conf = configure_why3()
        self.options = options(machdep)
        self.limits = limits(smoke, PATIENCE)
        # Frama-C believes $PWD, which may be that of another tree: os.chdir() does not change it,
        # nor does make -C.
        self.environment = {**os.environ, "HOME": "/nonexistent", "WHY3CONFIG": self.conf,
                            "PWD": os.getcwd()}
        self.versions = run("frama-c", "-version").stdout + run("cvc5", "--version").stdout

    def base(self, source, function):
        """The directory for the results of a function."""
        return f"{BUILD}/{self.machdep}{'.smoke' if self.smoke else ''}/{source.name}/{function}"

    def key(self, source, function):
        """A digest of everything that the proof depends on."""
        parts = [read(os.path.join(HERE, "wp.py")), source.relevant(function), function,
                 self.versions,
                 *self.options, *self.limits]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def remembered(self, source, function):
        """The earlier result, if it is still valid, or None."""
        try:
            proved = json.loads(read(f"{self.base(source, function)}.proved"))
            return proved["figures"] if proved["key"] == self.key(source, function) else None
        except (OSError, ValueError, KeyError):
            return None

    def prove(self, source, function):
        """Prove a function; returns its figures: {goals, qed, cvc5, smoke, seconds}."""
        try:
            return self.try_or_forget(source, function)
        except Unanswered:
            # On a busy machine a second is short.
            return self.try_or_forget(source, function)

    def try_or_forget(self, source, function):
        """The same, once."""
        try:
            return self.try_to_prove(source, function)
        except Unproved:
            forget_failures()
            raise

    def try_to_prove(self, source, function):
        """The same, as Frama-C's cache has it."""
        base = self.base(source, function)
        report, tries = os.path.abspath(f"{base}.json"), os.path.abspath(f"{base}.tries")
        os.makedirs(os.path.dirname(base), exist_ok=True)
        os.makedirs(f"{BUILD}/cache", exist_ok=True)
        key = self.key(source, function)
        if unanswered(tries):
            forget_failures()
        for path in (report, tries):
            try_to_remove(path)
        try:
            status = self.frama_c(f"{base}.log", tries, "-wp-fct", function, "-wp-report-json",
                                  report, source.unit)
        except subprocess.TimeoutExpired as stopped:
            raise Unproved(f"frama-c did not end within {SECONDS_PER_FUNCTION} s"
                           + self.again_with(source, function)) from stopped
        log = read(f"{base}.log")
        if status:
            raise Unproved(f"frama-c stopped with exit status {status}: "
                           + " ".join(log.strip().splitlines()[-4:])
                           + self.again_with(source, function))
        figures = self.check_log(source, function, log)
        if unanswered(tries):
            tests = [test for _, test in SMOKE.findall(log)]
            raise Unanswered(f"cvc5 gave no answer to {unanswered(tries)} goals or smoke tests, of "
                             f"which these pass when it does not: {', '.join(tests) or 'none'}: it "
                             "broke down, or hung"
                             + self.again_with(source, function))
        self.check_report(report)
        if self.key(source, function) != key:
            raise Unproved("what it depends on has changed meanwhile: try again")
        write(f"{base}.proved", json.dumps({"key": key, "figures": figures}))
        return figures

    def frama_c(self, log, tries, *arguments):
        """Run Frama-C once, with a cache, its output into a file; returns the exit status."""
        command = ["frama-c", *self.options, *self.limits, "-wp-cache", "update", "-wp-cache-dir",
                   os.path.abspath(f"{BUILD}/cache"), "-wp-par", "1", *arguments]
        # Not into a pipe: what a killed Frama-C leaves behind would hold it open.
        with open(log, "w", encoding="utf-8") as f:
            return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=f,
                                  stderr=subprocess.STDOUT,
                                  env={**self.environment, "CVC5_TRIES": tries}, check=False,
                                  timeout=SECONDS_PER_FUNCTION).returncode

    def contradiction_found(self, number):
        """Whether a smoke test finds a contradiction that was planted, now, on this machine, in its
        time."""
        base = os.path.abspath(f"{BUILD}/{self.machdep}.smoke/control-{number}")
        os.makedirs(os.path.dirname(base), exist_ok=True)
        write(f"{base}.c", CONTROL)
        try:
            self.frama_c(f"{base}.log", f"{base}.tries", "-wp-cache", "none", f"{base}.c")
        except subprocess.TimeoutExpired:
            return False
        return ("Failed", "control_wp_smoke_default_requires") in SMOKE.findall(read(f"{base}.log"))

    def forget(self):
        """Forget the results for this machine, and what Frama-C remembers of goals that are not
        valid."""
        for path in glob.glob(f"{BUILD}/{self.machdep}{'.smoke' if self.smoke else ''}/**/*.proved",
                              recursive=True):
            try_to_remove(path)
        forget_failures()

    def check_report(self, path):
        """Read a JSON report; raise Unproved if it has anything but valid goals."""
        try:
            total = json.loads(read(path))["wp:global"]["wp:main"]
        except (OSError, ValueError, KeyError) as reason:
            raise Unproved(f"frama-c wrote no report: {reason!r}") from reason
        if total["total"] == 0 or total.get("valid", 0) != total["total"]:
            raise Unproved(f"{total.get('valid', 0)} of {total['total']} goals are valid")

    def check_log(self, source, function, log):
        """Read a log; raise Unproved if it has anything to object or does not add up."""
        figures = dict(NO_FIGURES)
        complaints = warnings(log)
        for prover, goal, verdict in RESULT.findall(log):
            if not verdict.startswith("Valid"):
                complaints.append(f"{goal}: {verdict.split(' (')[0].lower()}"
                                  + self.replay_with(source, goal))
            elif source.owner(goal) != function:
                complaints.append(f"{goal}: does not belong to {function}()")
            else:
                figures["goals"] += 1
                figures["steps"] += bool(STEP.match(goal, len(function)))
                figures["ensures"] += goal.startswith(f"{function}_ensures_")
                figures["cvc5" if prover.startswith("CVC5") else "qed"] += 1
                figures["seconds"] = round(figures["seconds"] + took(verdict), 3)
        for verdict, test in SMOKE.findall(log):
            figures["smoke"] += 1
            if verdict != "Passed":
                complaints.append(f"{test}: nonsense can be proved here: a contradiction, or "
                                  "dead code"
                                  + self.replay_with(source, test, f"--function {function} "))
        summary = re.search(r"Proved goals: *(\d+) / (\d+)", log)
        counted = figures["goals"] + figures["smoke"]
        if not complaints and (not summary or summary.group(1) != summary.group(2)
                               or int(summary.group(1)) != counted):
            complaints.append(f"the log has {counted} results, but its summary is "
                              f"{summary.group() if summary else 'missing'}")
        if complaints:
            raise Unproved("\n".join(complaints))
        return figures

    def again_with(self, source, function):
        """The command that proves an unproved function again."""
        return (f"\n    try it again: proofs/prove --machdep {self.machdep} "
                f"{'--smoke ' * self.smoke}"
                f"--function {function} {source.path}")

    def replay_with(self, source, goal, function=""):
        """What to do about a goal that is not proved. (A smoke test of a call bears the name of
        what is called.)"""
        return f"\n    replay it alone: proofs/prove --machdep {self.machdep} {function}--goal {goal} {source.path}"

    def replay(self, source, goal, function=None):
        """Prove the function of one goal again, trusting nothing, and show what becomes of the
        goal."""
        function = function or source.owner(goal)
        if not function:
            die(f"{source.path} has no function that {goal} could belong to")
        properties = None if self.smoke else clause(goal[len(function) + 1:])
        done = run("frama-c", *self.options, *self.limits, "-wp-cache", "none", "-wp-fct", function,
                   *(["-wp-prop", properties] if properties else []), "-wp-print", source.unit,
                   env=self.environment)
        sys.stdout.write(done.stdout + done.stderr)
        found = [(name, verdict) for verdict, name in SMOKE.findall(done.stdout)] + \
            [(name, verdict) for _, name, verdict in RESULT.findall(done.stdout)]
        verdicts = [verdict for name, verdict in found if name == goal]
        print(f"{goal}: {verdicts[0] if verdicts else 'there is no such goal'}")
        return bool(verdicts) and verdicts[0].startswith(("Valid", "Passed"))


def warnings(log):
    """Frama-C's warnings, each with its text, which continues in indented lines."""
    found = re.findall(r"^.*Warning:.*(?:\n[ \t]+.*)*", log, re.MULTILINE)
    return [" ".join(warning.split()) for warning in found]


def clause(goal):
    """The name of the clause that a goal, without its function's name, comes from; or its
    category."""
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
