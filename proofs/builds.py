# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Lists what the project's builds compile and link, without building: the commands are those that
make, and for the kernel its Makefile, would run.

No build is named here. make's own database has each target that is made of objects of ref/, in
whichever variant; a dry run of them all has the commands.
"""

import glob
import os
import re
import shlex
import subprocess
from dataclasses import dataclass

from erofs_ishare.run import without_make
from wp import die, read, run, write

ORACLE = "kernel/oracle"
MADE_OF = re.compile(r"(?:^|[\s/])(?:ref/\w+/\w+|spec/codec)\.[co]\b")
PART = re.compile(r"[^-].*\.(?:[oac]|o\.new)")
TARGET = re.compile(r"^([^\s#:=%]+): ?([^=\n]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Compilation:
    """A command that compiles one file of the project."""
    made: str  # the object
    source: str  # from the top of the tree
    options: tuple  # the compiler, and what it is given, but for these two and lists of dependences
    directory: str = ""  # where it runs; empty: at the top of the tree
    copies: str = ""  # where copies of the core are that it reads instead of the core; empty: none


@dataclass(frozen=True)
class Plan:
    """What make would do."""
    compiled: dict  # {object: Compilation}
    linked: dict  # {what is linked: [its objects, archives and C files]}
    links: list  # the commands that link, archive, or change what was linked


def make(*arguments):
    """What a make that makes nothing does."""
    return run("make", "--no-print-directory", "--dry-run", "V=1", *arguments, env=without_make())


def goals():
    """Each target that is made of C files or objects of ref/, except for objects of one file."""
    rules = TARGET.findall(make("--print-data-base", "--question").stdout)
    return sorted({target for target, needs in rules
                   if MADE_OF.search(needs) and not MADE_OF.search(target)})


def commands(wanted):
    """The commands that make these targets, as lists of words."""
    done = make("--always-make", *wanted)
    if done.returncode:
        die(f"make cannot say what it would do: {done.stderr}")
    for line in done.stdout.replace("\\\n", " ").splitlines():
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        yield words[next((i for i, w in enumerate(words) if not re.match(r"\w+=", w)), 0):]


def planned(wanted=None):
    """The Plan of all builds, or of these targets."""
    compiled, linked, links = {}, {}, []
    for words in commands(goals() if wanted is None else wanted):
        if "-c" in words and "-o" in words:
            compilation = compilation_of(words)
            compiled[compilation.made] = compilation
        elif made := product_of(words):
            links.append(words)
            # Under other names, objects are no longer those that others are linked with.
            if not any(w.startswith("--redefine-sym") for w in words):
                linked.setdefault(made, []).extend(w for w in words
                                                   if PART.fullmatch(w) and w != made)
    return Plan(compiled, linked, links)


def product_of(words):
    """What a command links, archives or changes; None if it does neither."""
    if "-o" in words:
        return words[words.index("-o") + 1]
    if words[:1] == ["ar"]:
        return words[2]
    return words[-1] if words[:1] and words[0].endswith("objcopy") else None


def compilation_of(words, **where):
    """The Compilation that a command is."""
    made, source = words[words.index("-o") + 1], ""
    options = []
    for before, word in zip(["", *words], words):
        if word.endswith(".c") and not word.startswith("-"):
            source = word
        elif "-o" not in (before, word) and word not in ("-c", "-MMD", "-MP") and \
                not word.startswith("-Wp,-M"):
            options.append(word)
    return Compilation(made, source, tuple(options), **where)


def heeded(options):
    """What a preprocessor heeds of a compiler's options, for gcc: for compilers that are not
    installed, and options of others than the one that is."""
    return ("gcc", *(o for before, o in zip(options, options[1:])
                     if o.startswith(("-I", "-D", "-U", "-std=", "-i")) or before.startswith("-i")))


def objects_in(product, linked):
    """All objects in what is linked, those of archives and of partial links, too."""
    found = set()
    for part in linked.get(product, ()):
        found |= objects_in(part, linked) if part in linked else {part}
    return found


# ---- The kernel's build ----

def makefile_variables(path, directory):
    """(complaints, flags, objects) of a Makefile of the kernel's that only sets these."""
    text = re.sub(r"^#.*$", "", read(path), flags=re.MULTILINE)
    wrong = [f"{path}: `{line}` is neither ccflags-y nor obj-y" for line in text.splitlines()
             if line.strip() and not re.match(r"(?:ccflags|obj)-y [:+]?= ", line)]
    said = subprocess.run(["make", "-s", "-f", "-"], text=True, capture_output=True, check=False,
                          input=f"src := {directory}\n{text}\nprint:\n"
                                "\t@echo $(ccflags-y)\n\t@echo $(obj-y)\n",
                          env={"PATH": os.environ["PATH"]}).stdout.splitlines()
    flags, objects = [*said, "", ""][:2]
    return wrong, flags.split(), objects.split()


def prepare_kernel(directory):
    """Makes the copy of the core that is put into the kernel's source."""
    if run(f"{ORACLE}/prepare", directory).returncode:
        die(f"{ORACLE}/prepare failed: run `make spec`")
    write(f"{directory}/Makefile", read(f"{ORACLE}/Makefile"))


def kernel(directory):
    """(complaints, [Compilation]) of the core in such a copy. An empty header stands in for the
    kernel's own."""
    os.makedirs(f"{directory}/headers/linux", exist_ok=True)
    write(f"{directory}/headers/linux/types.h", "")
    wrong, flags, objects = makefile_variables(f"{directory}/Makefile", directory)
    options = ("gcc", "-std=gnu11", "-nostdinc", "-D__KERNEL__", *flags, f"-I{directory}/headers")
    return wrong, [Compilation(f"{ORACLE}/{o}", f"{directory}/{o[:-2]}.c", options,
                               copies=f"{directory}/core")
                   for o in objects if o.startswith("core/")]


def built_kernel(directory):
    """[Compilation] of the core in a kernel that has been built in a directory, as its build wrote
    the commands down."""
    found = []
    for path in sorted(glob.glob(f"{directory}/fs/erofs/oracle/core/.*.o.cmd")):
        command = shlex.split(re.match(r"savedcmd_\S+ := (.*)", read(path)).group(1))
        copies = os.path.dirname(compilation_of(command).source)
        found.append(compilation_of(command, directory=directory, copies=copies))
    return found
