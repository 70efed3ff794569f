# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Which lines a corpus reaches: of a program that counts them (clang), or of a kernel that prints
the addresses it passes.

A target's [coverage] in campaign.toml has `files`, patterns of sources, `make`, what has to be
built, and either

    program     built with -fprofile-instr-generate -fcoverage-mapping: runs the inputs given as
                arguments

or

    addresses   a command that runs inputs ({inputs} becomes their paths) and prints the return
                addresses of the coverage callbacks that they pass, in hexadecimal, one to a line;
                its exit status is 1 if an input crashes
    binary      the kernel: a line counts if it has a call of `callback`, in the source below
                `source`
"""

import glob
import os
import re
import subprocess
import tempfile

from erofs_ishare import TOP
from erofs_ishare.files import write
from erofs_ishare.run import without_make


# Inputs for one run of the program: one that ends it takes the figures of the others along.
BATCH = 500


class Missing(Exception):
    """Coverage cannot be determined; the reason."""


def output(command, succeeds=(0,), **options):
    """The output of a command, which must succeed."""
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, **options)
    if done.returncode not in succeeds:
        said = (done.stderr
                or done.stdout).decode(errors="replace").strip().splitlines() or ["it fails"]
        raise Missing(f"{' '.join(command[:8])}: {said[-1]}")
    return done.stdout.decode(errors="replace")


def lines_of(target, inputs):
    """{file: {line: reached}}"""
    table = target["coverage"]
    if "make" in table:
        # A separate make, even if make runs this program.
        output(["make", "--no-print-directory", "-s", table["make"]], env=without_make())
    lines = by_program(table, inputs) if "program" in table else by_addresses(table, inputs)
    wanted = {os.path.relpath(n, TOP) for pattern in table["files"]
              for n in glob.glob(os.path.join(TOP, pattern))}
    if not wanted & set(lines):
        raise Missing("the program does not know its lines: it was built without -g")
    for name in table["files"]:
        if "*" not in name and os.path.relpath(os.path.join(TOP, name), TOP) not in lines:
            raise Missing(f"{name} is not in the program")
    return {name: lines[name] for name in sorted(wanted) if lines.get(name)}


# ---- clang ----

def by_program(table, inputs):
    """As llvm-cov counts them."""
    program = os.path.join(TOP, table["program"])
    if not os.path.exists(program):
        raise Missing(f"no {table['program']}")
    with tempfile.TemporaryDirectory(prefix="coverage-") as where:
        for number in range(0, len(inputs), BATCH):
            run_counting(program, inputs[number:number + BATCH], f"{where}/{number}")
        raw = glob.glob(f"{where}/*.profraw")
        if not raw:
            raise Missing(f"no input of {len(inputs)} runs to its end")
        write(f"{where}/list", "\n".join(raw))
        output(["llvm-profdata", "merge", "-sparse", "-f", f"{where}/list", "-o",
                f"{where}/merged"])
        text = output(["llvm-cov", "export", "-format=lcov", f"-instr-profile={where}/merged",
                       program])
    return lcov(text)


def run_counting(program, inputs, profile):
    """All at once; if that fails, half of them at a time, and an input that fails alone is left
    out."""
    done = subprocess.run([program, *inputs], cwd=TOP, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False,
                          env=os.environ | {"LLVM_PROFILE_FILE": f"{profile}.profraw"})
    if done.returncode == 0:
        return
    if os.path.exists(f"{profile}.profraw"):
        os.unlink(f"{profile}.profraw")
    if len(inputs) > 1:
        middle = len(inputs) // 2
        run_counting(program, inputs[:middle], f"{profile}a")
        run_counting(program, inputs[middle:], f"{profile}b")


def lcov(text):
    """llvm-cov's SF: and DA: records."""
    lines, name = {}, None
    for record in text.splitlines():
        if record.startswith("SF:"):
            name = os.path.relpath(os.path.join(TOP, record[3:]), TOP)
        elif match := re.fullmatch(r"DA:(\d+),(\d+).*", record):
            of_file = lines.setdefault(name, {})
            of_file[int(match[1])] = of_file.get(int(match[1]), False) or int(match[2]) > 0
    return lines


# ---- A kernel ----

def by_addresses(table, inputs):
    """A line with a callback can be reached; it is, if the callback was."""
    binary = os.path.join(TOP, table["binary"])
    for needed in (table["addresses"][0], table["binary"]):
        if not os.path.exists(os.path.join(TOP, needed)):
            raise Missing(f"no {needed}")
    passed = set()
    for number in range(0, len(inputs), BATCH):
        batch = inputs[number:number + BATCH]
        command = [w for word in table["addresses"]
                   for w in (batch if word == "{inputs}" else [word])]
        passed |= {int(word, 16) for word in output(command, succeeds=(0, 1)).split()
                   if re.fullmatch(r"(0x)?[0-9a-f]+", word)}
    every = callbacks(binary, table["callback"]) | passed
    if not every:
        raise Missing(f"{table['binary']} has no call of {table['callback']}")
    lines = {}
    for address, places in symbolize(binary, sorted(every),
                                     os.path.join(TOP, table["source"])).items():
        for name, line in places:
            of_file = lines.setdefault(name, {})
            of_file[line] = of_file.get(line, False) or address in passed
    return lines


def callbacks(binary, name):
    """Where calls of the callback return to. Large code calls it by a register, which holds its
    address all the function."""
    symbol = re.search(rf"^([0-9a-f]+) \w {name}$", output(["nm", binary]), re.M)
    target = f"$0x{int(symbol[1], 16):x}" if symbol else None
    found, holding, called = set(), set(), False
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", binary], stdout=subprocess.PIPE,
                          text=True) as objdump:
        for line in objdump.stdout:
            match = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(\S*)", line)
            if not match:
                holding = set() if line.endswith(">:\n") else holding
                continue
            address, instruction, operands = match.groups()
            if called:
                found.add(int(address, 16))
            if instruction.startswith("mov") and "," in operands:
                source, register = operands.rsplit(",", 1)
                holding = holding | {f"*{register}"} if source == target else holding - {
                    f"*{register}"}
            called = instruction.startswith("call") and (operands in holding
                                                         or line.endswith(f"<{name}>\n"))
    return found


def symbolize(binary, addresses, source):
    """{address: [(file, line)]}, of an inlined function the line in it. A call is before where it
    returns to."""
    done = subprocess.run(["addr2line", "-a", "-i", "-e", binary],
                          input="".join(f"{a - 1:#x}\n" for a in addresses),
                          capture_output=True, text=True, check=True)
    places, address = {}, None
    for line in done.stdout.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            address = int(line, 16) + 1
            places[address] = []
        elif (match := re.fullmatch(r"(.+):(\d+)(?: \(discriminator \d+\))?",
                                    line)) and match[2] != "0":
            name = os.path.realpath(os.path.join(source, match[1]))
            if name.startswith(f"{TOP}/") and not places[address]:
                places[address].append((os.path.relpath(name, TOP), int(match[2])))
    return places


# ---- For the report ----

def ranges(numbers):
    """[1, 2, 3, 7] as "1-3, 7"."""
    parts = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def summary(lines):
    """An entry for each file, and the totals."""
    files = [{"file": name, "lines": len(of_file), "reached": sum(of_file.values()),
              "not_reached": ranges(n for n, reached in of_file.items() if not reached)}
             for name, of_file in lines.items()]
    return {"files": files, "lines": sum(f["lines"] for f in files),
            "reached": sum(f["reached"] for f in files)}
