#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the kernel's code without running it: Coccinelle with the rules in this directory, and
sparse, on fs/erofs and the project's own code in kernel/. First each rule must report exactly the
marked lines in its two files in tests/. Every hit must be listed in known.tsv, and every line of
known.tsv must have a hit."""

import collections
import glob
import os
import re
import shlex
import shutil
import subprocess

from erofs_ishare import tap
from erofs_ishare.files import write
from erofs_ishare.guests import BUILD, content, Guest, make, requests, SOURCE, TOP

HERE = os.path.dirname(os.path.abspath(__file__))

WORK = f"{BUILD}/static"
CODE = f"{WORK}/code"   # for Coccinelle
OVERLAYS = ("oracle", "kunit")
EROFS = f"{SOURCE}/fs/erofs"
FINDING = re.compile(r"\bfinding ([\w-]+)")

# What spatch 1.1.1 cannot read, and what can be left out of what it reads: attributes, and heads of
# statements that change nothing about where control goes.
UNREADABLE = [(r" __free\(\w+\)", ""), (r"__attribute__\(\(.*\)\) ", ""),
              (r"\bscoped_(with_creds|guard)\([^;{}]*?\)(?=$| \{$)", "")]

# As the kernel's Makefiles call sparse, except that 0.6.4 knows no __typeof_unqual__, and fails
# assertions that compare strings; after an error it would warn of nothing more in that file.
SPARSE = ["sparse", "-D__linux__", "-Dlinux", "-D__STDC__", "-Dunix", "-D__unix__", "-Wbitwise",
          "-Wno-return-void",
          "-Wno-unknown-attribute", "--arch=um", "-mlittle-endian", "-m64", "-D__x86_64__",
          "-D__CHECK_ENDIAN__",
          "-D__typeof_unqual__=__typeof__", "-D_Static_assert(...)="]

# User-Mode Linux cannot have it, but its code is there.
SPARSE += ["-DCONFIG_EROFS_FS_ZIP_ACCEL=1"]

# Symbols without a declaration should be static, except in data that prepare generates.
GENERATED = {"vectors_data": ["-Wno-decl"]}

# A mistake at the end of each file: sparse sees it if it has seen all that comes before.
CONTROL = """#include "{path}"
int control(__le32 number);
int control(__le32 number)
{{
	return number;
}}
"""

Hit = collections.namedtuple("Hit", "file check code")


def nice(command, **options):
    """Runs a command that others do not have to wait for."""
    return tap.run(["nice", "-n", "19", *command], **options)


def line_of(path, number):
    """The code on a line, without what surrounds it."""
    return re.sub(r"\s+", " ", (content(path) or b"").decode().split("\n")[number - 1]).strip()


# ---- What is known ----

def known():
    """{Hit: how often} of known.tsv, and what is wrong with that file."""
    table, wrong = collections.Counter(), []
    for number, line in enumerate(content(f"{HERE}/known.tsv").decode().splitlines(), 1):
        if line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 5 or not all(fields) or not fields[3].isdigit():
            wrong.append(f"line {number}: not five fields, or no number of hits")
            continue
        table[Hit(*fields[:3])] += int(fields[3])
        if fields[1] not in [*rules(), "sparse", "spatch"]:
            wrong.append(f"line {number}: there is no check {fields[1]}")
        wrong += [f"line {number}: there is no finding {name}"
                  for name in FINDING.findall(fields[4])
                  if not os.path.isdir(f"{TOP}/kernel/findings/{name}")]
    return table, wrong


def compare(name, check, table, found):
    """One point: these hits {Hit: [where]}, and no others, are known."""
    new = [f"{where}: not in known.tsv: {hit.code}" for hit, places in found.items()
           for where in places[table[hit]:]]
    gone = [f"{hit.file}: {number} in known.tsv, {len(found.get(hit, []))} found: {hit.code}"
            for hit, number in table.items() if hit.check == check
            and len(found.get(hit, [])) < number]
    tap.is_empty(new + gone, f"{name}: what is found is known, and what is known is found")
    hits = sum(len(places) for places in found.values())
    print(f"# {name}: {hits} {'hit' if hits == 1 else 'hits'}", flush=True)


# ---- Coccinelle ----

def rules():
    return sorted(os.path.basename(path).removesuffix(".cocci")
                  for path in glob.glob(f"{HERE}/*.cocci"))


def spec_rules():
    """The names of the specification's rules."""
    text = b"".join(content(path) for path in glob.glob(f"{TOP}/spec/*.md")).decode()
    return set(re.findall(r"^### (\S+\.\S+)$", text, re.M))


def head_is_right(rule):
    """One point: the head says which of the specification's rules it is about, if any, and what
    harm is done."""
    text = content(f"{HERE}/{rule}.cocci").decode()
    named = re.search(r"^// Rules?: (.*)$", text, re.M)
    named = re.findall(r"\b\w+\.[\w-]+\b",
                       named[1]) if named and not named[1].startswith("none") else named and []
    unknown = ["no line with rules"] if named is None else [f"no rule {n}" for n in named
                                                            if n not in spec_rules()]
    harm = re.search(r"^// Harm: (memory-safety|wrong-data|lost-sharing|policy)\.", text, re.M)
    tap.is_empty(unknown + ([] if harm else ["no harm"]), f"{rule}: names rules and harm")


def spatch(rule, *where):
    """[(file, line)] that a rule reports, in order, and what else spatch says, which should be
    nothing."""
    done = nice(["spatch", "--very-quiet", "--no-includes", "--include-headers", "--sp-file",
                 f"{HERE}/{rule}.cocci",
                 *where], cwd=CODE)
    hits, other = set(), done.stderr.splitlines() + ([f"exit status {done.returncode}"]
                                                     if done.returncode else [])
    for line in done.stdout.splitlines():
        match = re.match(r"(?:\./)?(.*?):(\d+):\d+-\d+: ", line)
        if match:
            hits.add((match[1], int(match[2]), line))
        else:
            other.append(line)
    return [hit[:2] for hit in sorted(hits)], other


def pair(rule):
    """Two points: the rule leaves the good code alone, and reports the bad."""
    for kind in ("good", "bad"):
        path = f"{HERE}/tests/{rule}-{kind}.c"
        lines = (content(path) or b"").decode().splitlines()
        wanted = {n for n, line in enumerate(lines, 1) if line.endswith("/* reported */")}
        hits, other = spatch(rule, path)
        got = {line for _, line in hits}
        wrong = [f"line {n} is not reported" for n in sorted(wanted - got)]
        wrong += [f"line {n} is reported" for n in sorted(got - wanted)]
        if not lines or bool(wanted) != (kind == "bad"):
            wrong.append(f"{os.path.relpath(path, TOP)} has no lines, or the wrong kind of lines")
        tap.is_empty(other + wrong,
                     f"{rule}: {'leaves the good code alone' if kind == 'good' else 'reports the bad'}")


def gather():
    """Copies the code into one tree, in words that spatch knows; returns {name in that tree: where
    it comes from}."""
    shutil.rmtree(CODE, ignore_errors=True)
    origin = {f"fs/erofs/{os.path.basename(path)}": path for path in glob.glob(f"{EROFS}/*.[ch]")}
    own = (glob.glob(f"{TOP}/kernel/*/*.c") + glob.glob(f"{TOP}/kernel/kunit/*.h")
           + glob.glob(f"{TOP}/kernel/oracle/*.h"))
    origin |= {os.path.relpath(path, TOP): path for path in own}
    for name, path in origin.items():
        text = content(path).decode()
        for pattern, instead in UNREADABLE:
            text = re.sub(pattern, instead, text, flags=re.M)
        os.makedirs(os.path.dirname(f"{CODE}/{name}"), exist_ok=True)
        write(f"{CODE}/{name}", text)
    return origin


def unread(said):
    """The passages that spatch says it could not read: the macro it stumbled over, or the line."""
    passages = []
    for passage in re.split(r"^badcount: .*\n", said, flags=re.M)[1:]:
        lines = [re.sub(r"\s+", " ", m[1]).strip(" \\")
                 for m in re.finditer(r"^(?:bad:|BAD:!+) (.*)$", passage, re.M)]
        stumbled = re.search(r"^BAD:!+ (.*)$", passage, re.M)
        macros = [line for line in lines if line.startswith("#define")
                  and line.count("(") >= line.count(")")]
        wanted = macros[-1:] or ([re.sub(r"\s+", " ", stumbled[1]).strip()] if stumbled
                                 else lines[:1])
        passages += wanted or ["a passage"]
    return passages


def everything_is_read(origin, table):
    """Two points: spatch leaves out, without a word, what it cannot read."""
    some = any(name.startswith("fs/erofs/") for name in origin)
    tap.ok(some, f"spatch looks at {len(origin)} files", f"no code in {EROFS}")
    found = collections.defaultdict(list)
    for name in sorted(origin):
        done = nice(["spatch", "--parse-c", "--no-includes", name], cwd=CODE)
        said = done.stdout + done.stderr
        for passage in unread(said) if re.search(r"nb bad = +\d+ ", said) else ["nothing at all"]:
            found[Hit(name, "spatch", passage)].append(name)
    compare("what spatch cannot read", "spatch", table, found)


def coccinelle(table):
    """All points about rules."""
    origin = gather()
    for rule in rules():
        head_is_right(rule)
        pair(rule)
    everything_is_read(origin, table)
    for rule in rules():
        hits, other = spatch(rule, "--dir", ".")
        tap.is_empty(other, f"{rule}: spatch has read the code")
        found = collections.defaultdict(list)
        for name, line in hits:
            found[Hit(name, rule, line_of(origin[name], line))].append(f"{name}:{line}")
        compare(rule, rule, table, found)


# ---- sparse ----

def kernel_flags():
    """The compiler's arguments for a file of fs/erofs, in the debug guest's configuration; a
    directory is made for it, with one object in it. None, after a failed point, if that does not
    work."""
    guest = Guest(f"{TOP}/kernel/uml/guests/debug")
    # The suites are looked at here, whether they are part of the source's copy or not.
    asked = {s: line for s, line in requests(guest).items()
             if not s.startswith("CONFIG_EROFS_FS_KUNIT")}
    os.makedirs(WORK, exist_ok=True)
    write(f"{WORK}/requested.config", "\n".join(asked.values()) + "\n")
    for arguments in ([f"KCONFIG_ALLCONFIG={WORK}/requested.config", "allnoconfig"],
                      ["fs/erofs/namei.o"]):
        with make(WORK, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
            said = process.communicate()[0]
        if not tap.ok(process.returncode == 0, f"make {arguments[-1]}",
                      "\n".join(said.splitlines()[-15:])):
            return None
    got = content(f"{WORK}/.config").decode().splitlines()
    tap.is_empty([line for line in asked.values() if line.endswith("=y") and line not in got
                  and line.startswith(("CONFIG_EROFS", "CONFIG_KUNIT"))],
                 "all of EROFS is configured")
    saved = re.search(r"^savedcmd_\S+ := gcc (.*) -c -o ",
                      content(f"{WORK}/fs/erofs/.namei.o.cmd").decode(), re.M)
    flags = shlex.split(saved[1]) if saved else []
    if not tap.ok(flags, "the compiler's arguments are found"):
        return None
    return [flag for flag in flags if not flag.startswith("-Wp,")]


def assemble():
    """The suites and the oracle, each with what its program "prepare" adds to it."""
    trouble = []
    for name in OVERLAYS:
        shutil.rmtree(f"{WORK}/{name}", ignore_errors=True)
        shutil.copytree(f"{TOP}/kernel/{name}", f"{WORK}/{name}",
                        ignore=shutil.ignore_patterns("erofs_ishare"))
        done = tap.run([f"{TOP}/kernel/{name}/prepare", f"{WORK}/{name}"])
        trouble += [done.stderr] if done.returncode else []
    return tap.ok(not trouble, "the suites and the oracle are assembled", *trouble)


def sparse(path, flags):
    """[(file, line, what)] that sparse reports in a file, and whether it has seen the mistake at
    the end."""
    wrapper = f"{WORK}/sparse/{os.path.basename(path)}"
    os.makedirs(os.path.dirname(wrapper), exist_ok=True)
    write(wrapper, CONTROL.format(path=path))
    base = os.path.basename(path).removesuffix(".c")
    done = nice([*SPARSE, *(f.replace('"namei"', f'"{base}"') for f in flags),
                 f"-I{os.path.dirname(path)}",
                 *GENERATED.get(base, []), wrapper], cwd=WORK)
    said = re.findall(r"^(.*?):(\d+):\d+: (?:warning|error): (.*)$",
                      done.stdout + done.stderr, re.M)
    hits = [(os.path.realpath(f"{WORK}/{file}" if not file.startswith("/") else file),
             int(line), what)
            for file, line, what in said]
    own = [hit for hit in hits if hit[0] == os.path.realpath(wrapper)]
    seen = any("incorrect type in return expression" in what for _, _, what in own)
    return [hit for hit in hits if hit not in own], seen


def place(path):
    """A file's name, as known.tsv has it."""
    for top, name in (*((f"{WORK}/{overlay}", f"kernel/{overlay}") for overlay in OVERLAYS),
                      (SOURCE, "")):
        if path.startswith(os.path.realpath(top) + "/"):
            return os.path.join(name, os.path.relpath(path, os.path.realpath(top)))
    return path


def endianness(table):
    """All points about sparse."""
    flags = kernel_flags()
    if flags is None or not assemble():
        return
    files = {"fs/erofs": sorted(glob.glob(f"{EROFS}/*.c"))} | {
        f"kernel/{name}": sorted(glob.glob(f"{WORK}/{name}/*.c")
                                 + glob.glob(f"{WORK}/{name}/core/*.c"))
        for name in OVERLAYS}
    own = [f"-I{EROFS}", f"-I{WORK}/kunit", f"-I{WORK}/oracle", f"-I{WORK}/oracle/core"]
    found, blind = collections.defaultdict(set), []
    for tree, paths in files.items():
        for path in paths:
            hits, seen = sparse(path, flags + ([] if tree == "fs/erofs" else own))
            blind += [] if seen else [f"{place(path)}: {hits[:3]}"]
            for file, line, what in hits:
                found[Hit(place(file), "sparse",
                          line_of(file, line))].add(f"{place(file)}:{line}: {what}")
        tap.ok(paths, f"sparse looks at {len(paths)} files of {tree}")
    tap.is_empty(blind, "sparse reads each file to its end, and sees a mistake there")
    compare("sparse", "sparse", table, {hit: sorted(places) for hit, places in found.items()})


def main():
    """Rules, then types."""
    table, wrong = known()
    tap.is_empty(wrong, "known.tsv is in order")
    coccinelle(table)
    endianness(table)
    tap.done()


if __name__ == "__main__":
    main()
