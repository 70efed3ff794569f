#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Every object, including the core's, and the linked program have the hardening options.

The options are checked in the compiler commands that make would run; their effects, in the objects
and the program.
"""

import glob
import re
import shlex

from erofs_ishare import tap

PROGRAM = "build/erofs-ishare"
GENERATED = ["build/rules.o", "build/spec/codec.o"]
OBJECTS = sorted(f"build/{n[:-2]}.o"
                 for n in glob.glob("ref/*/*.c", root_dir=tap.TOP)) + GENERATED

# By what ELF calls the machine: the option that marks the targets of indirect jumps and calls, and
# what the marks are.
BRANCHES = {"X86-64": ("-fcf-protection=full", {"IBT", "SHSTK"}),
            "80386": ("-fcf-protection=full", {"IBT", "SHSTK"}),
            "AArch64": ("-mbranch-protection=standard", {"BTI", "PAC"})}
EVERYWHERE = ["-fstack-protector-strong", "-fstack-clash-protection", "-fPIE"]
LINKED = ["-pie", "-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code"]
UNDONE = re.compile(r"-fno-(stack-protector|stack-clash-protection|pie|PIE)|-fcf-protection=(none|branch|return)"
                    r"|-mbranch-protection=none|-z,?(execstack|norelro|lazy|noseparate-code)|-no-pie|-static")


def readelf(*arguments):
    """The output of readelf."""
    done = tap.run(["readelf", "--wide", *arguments])
    return done.stdout if done.returncode == 0 else ""


def machine():
    """The machine that the program is built for."""
    named = re.search(r"Machine:.*?(X86-64|80386|AArch64|\S+)$", readelf("--file-header", PROGRAM),
                      re.M)
    return named[1] if named else ""


def marks(name):
    """What a file's notes state about the targets of its jumps."""
    told = re.search(r"(?:x86|AArch64) feature: (.*)", readelf("--notes", name))
    return set(told[1].split(", ")) if told else set()


def commands():
    """The commands of a build from nothing: ({object: options}, options of the link)."""
    _, said = tap.make("--always-make", "--dry-run", "V=1", PROGRAM)
    compiled, linked = {}, []
    for words in (shlex.split(line, comments=True) for line in said.splitlines()
                  if " -o build/" in line):
        name = words[words.index("-o") + 1]
        if "-c" in words:
            compiled[name] = words
        elif name == PROGRAM:
            linked = words
    return compiled, linked


def compiling(option):
    """Each command that compiles, and the one that links."""
    compiled, linked = commands()
    tap.ok(set(OBJECTS) <= set(compiled) and linked,
           "make records how it makes each object and the program",
           *sorted(set(OBJECTS) - set(compiled)))
    for wanted in [*EVERYWHERE, *option]:
        tap.is_empty([n for n in OBJECTS if wanted not in compiled.get(n, [])],
                     f"every object is compiled with {wanted}")
    tap.is_empty([n for n in OBJECTS if not n.startswith(("build/ref/core/", "build/spec/"))
                  and "-D_FORTIFY_SOURCE=3" not in compiled.get(n, [])],
                 "libc is called with its checks: level 3")
    for wanted in LINKED:
        tap.ok(wanted in linked, f"the program is linked with {wanted}", *linked)
    tap.is_empty([f"{n}: {w}" for n, words in [*compiled.items(), (PROGRAM, linked)] for w in words
                  if UNDONE.match(w)],
                 "no option takes back another")


def objects(option, wanted_marks):
    """Each object, as the compiler left it."""
    wrong, others = [], []
    for name in OBJECTS:
        said = re.search(r"DW_AT_producer.*: (\S.*)",
                         readelf("--debug-dump=info", "--dwarf-depth=1", name))
        if not said:
            wrong.append(f"{name}: no debugging information")
        elif not said[1].startswith("GNU C"):
            others.append(said[1])
        else:
            words = said[1].split()
            wrong += [f"{name}: no {o}" for o in [*EVERYWHERE, *option] if o not in words]
            wrong += [f"{name}: {o}" for o in words if UNDONE.match(o)]
    tap.is_empty(wrong, "each object records by which options it was made")
    if others:
        tap.skip(f"{len(others)} objects record by which options they were made",
                 f"{others[0]} does not write them down")
    tap.is_empty([n for n in [*OBJECTS, "build/libishare.o"] if not wanted_marks <= marks(n)],
                 "each object is marked: "
                 f"{' '.join(sorted(wanted_marks)) or 'nothing, on this machine'}")
    stacks = {n: re.search(r" \.note\.GNU-stack .*", readelf("--sections", n))
              for n in [*OBJECTS, "build/libishare.o"]}
    tap.is_empty([n for n, stack in stacks.items() if not stack or " X " in stack[0]],
                 "no object asks for a stack with code")
    for part in ("core", "image", "check", "domain", "cmd"):
        guarded = [n for n in OBJECTS if f"/{part}/" in n
                   and "__stack_chk_fail" in tap.run(["nm", "-u", n]).stdout]
        tap.ok(guarded, f"ref/{part} has frames that are guarded",
               "no object calls __stack_chk_fail")


def program(wanted_marks):
    header, segments = readelf("--file-header", PROGRAM), readelf("--program-headers", PROGRAM)
    dynamic, symbols = readelf("--dynamic", PROGRAM), readelf("--dyn-syms", PROGRAM)
    flags = {kind: f
             for kind, f in re.findall(r"^ +(\w+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3})",
                                       segments, re.M)
             if kind != "LOAD"}
    loads = re.findall(r"^ +LOAD .* ([RWE ]{3}) 0x", segments, re.M)
    tap.ok(re.search(r"Type: +DYN", header) and re.search(r"\(FLAGS_1\).*\bPIE\b", dynamic),
           "it can lie anywhere", header)
    tap.ok(flags.get("GNU_STACK", "RWE").strip() == "RW", "its stack holds no code", segments)
    tap.ok("GNU_RELRO" in flags and re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic),
           "its tables of pointers are read-only when it runs", segments, dynamic)
    tap.ok(loads and loads[0].strip() == "R" and not [f for f in loads if "W" in f and "E" in f]
           and "R E" in loads, "code lies apart from data and headers", segments)
    tap.ok(not re.search(r"\((TEXTREL|RPATH|RUNPATH)\)", dynamic),
           "its code is not changed, nor its libraries' path", dynamic)
    tap.ok(" __stack_chk_fail@" in symbols and re.search(r" __\w+_chk@", symbols),
           "libc ends it at a broken guard, and checks sizes", symbols)
    # The linker keeps a mark that all have, libc's start files too, which are not the project's.
    start = [tap.run(["gcc", f"-print-file-name={n}"]).stdout.strip()
             for n in ("Scrt1.o", "crti.o", "crtn.o")]
    common = wanted_marks.intersection(*map(marks, start))
    tap.ok(common <= marks(PROGRAM),
           f"its marks are its objects': {' '.join(sorted(common)) or 'none that libc has'}")


def main():
    status, said = tap.make("all")
    tap.ok(status == 0, "it builds", said)
    option, wanted_marks = BRANCHES.get(machine(), (None, set()))
    compiling([option] if option else [])
    objects([option] if option else [], wanted_marks)
    program(wanted_marks)
    tap.done()


if __name__ == "__main__":
    main()
