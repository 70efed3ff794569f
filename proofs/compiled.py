# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What is compiled is what was proved, in every build.

A preprocessor makes of each file of the core what Frama-C reads; here, the same is made of it with
the options of each build, and must be the same text. Three things do not count: comments and
annotations, which no compiler reads; spaces; and the text of the headers that types.h includes for
the types, which differ between a libc, Frama-C and the kernel, and of those that a built kernel
includes in all that it compiles.
"""

import collections
import concurrent.futures
import functools
import glob
import os
import re
import shlex
import shutil

import builds
from wp import core_files, INCLUDES, MACHDEPS, options as frama_c_options, run

TYPES = "ref/core/types.h"
# What the compiler may be given in addition to files: nothing that puts a file or a program before
# them, or lays structures and enumerations out in another way.
REFUSED = re.compile(r"-include|-imacros|-iquote|-isystem|-idirafter|-iprefix|-iwithprefix|-Wp,|"
                     r"-Xpreprocessor|-x|@|-B|-specs|-wrapper|-fplugin|-fpack-struct|"
                     r"-fshort-enums|-no-integrated-cpp")
REPLACING = re.compile(r"--wrap|--defsym|--(?:redefine|weaken|globalize|strip)-symbol|--redefine-sym|"
                       r"--allow-multiple-definition|muldefs")
UNKNOWN = re.compile(r"unrecognized command-line option|unknown argument|unsupported option")
# The harness of the fuzzers links the library a second time, and computes its checksums for both.
LEFT_OUT = {"build/fuzz/second.o.new": {"ref/core/crc32c.c"}}
# What `make` builds: a build that no longer had the core would not be found by looking for it.
PRODUCTS = ("build/libishare.o", "build/erofs-ishare")
MARKER = re.compile(r'# \d+ "((?:\\.|[^"\\])*)"((?: \d)*)')
# A C compiler's words for the types, and the kernel's attributes of inline functions.
SAME = {"bool": "_Bool", "true": "1", "false": "0"}
KERNEL_INLINE = re.compile(r"__attribute__\s*\(\(\s*(?:__gnu_inline__|__unused__|"
                           r"__no_instrument_function__)\s*\)\)")


def units():
    """The files that are compiled to be the core."""
    return [path for path in core_files() if path.endswith(".c")]


# ---- Texts ----

class Reader:
    """Reads what a preprocessor has made of one file or several: the text of each, without that of
    the types' headers."""

    def __init__(self, compilation):
        self.own, self.outside = origin(compilation)
        self.frames = ("<command-line>",) if compilation.directory else ()
        self.texts = collections.defaultdict(list)
        self.foreign = set()
        self.stack, self.unit = [("", False)], ""

    def read(self, output):
        """The whole output."""
        for line in output.splitlines():
            marker = MARKER.fullmatch(line) if line.startswith("# ") else None
            if marker:
                self.move(marker.group(1), marker.group(2).split())
            elif line.strip():
                self.take(line)
        return self

    def move(self, name, flags):
        """A file begins, ends, or goes on."""
        if "2" in flags:
            self.stack.pop()
        if "1" in flags:
            parent, in_types = self.stack[-1]
            enters = self.own(parent) == TYPES or parent in self.frames
            self.stack.append((name, in_types or enters and self.own(name) is None))
        elif "2" not in flags:
            self.stack[-1] = (name, self.stack[-1][1])
        if len(self.stack) == 1 and name.endswith(".c"):
            self.unit = self.own(name) or name

    def take(self, line):
        """A line of text."""
        name, in_types = self.stack[-1]
        if not in_types or not self.outside(name):
            self.texts[self.unit] += words_of(line)
            if self.own(name) is None:
                self.foreign.add(name)


@functools.lru_cache(maxsize=None)
def words_of(line):
    """The text as words and signs."""
    plain = KERNEL_INLINE.sub("", line)
    return [SAME.get(word, word) for word in re.findall(r"\w+|[^\w\s]", plain)]


def origin(compilation):
    """Two functions of a path that a preprocessor names: the file of the core that it is, or None;
    whether it is outside of the project."""
    top, where = os.getcwd(), os.path.abspath(compilation.directory or ".")
    core = {os.path.realpath(path): path
            for path in [*core_files(), *glob.glob("build/spec/*.h")]}
    if compilation.copies:
        core = {os.path.realpath(f"{compilation.copies}/{os.path.basename(path)}"): path
                for path in core.values()}
    below = os.path.realpath(compilation.copies or top) + "/"

    @functools.lru_cache(maxsize=None)
    def real(name):
        return os.path.realpath(os.path.join(where, name))

    return (lambda name: core.get(real(name))), (lambda name: not real(name).startswith(below))


def preprocess(compilations):
    """({file of the core: its words}, complaints) of compilations with the same options."""
    first, sources = compilations[0], sorted({c.source for c in compilations})
    for command in (first.options, builds.heeded(first.options)):
        if shutil.which(command[0]):
            done = run(*command, "-E", *sources, cwd=first.directory or None)
            if not done.returncode or not UNKNOWN.search(done.stderr):
                break
    if done.returncode:
        return {}, [f"{first.made}: {' '.join(done.stderr.split())[:300]}"]
    reader = Reader(first).read(done.stdout)
    return (reader.texts,
            [f"{first.made}: has text of {name}, which the core does not include"
             for name in sorted(reader.foreign)])


def missing_compilers(compilations):
    """The compilers of these that are not installed."""
    return sorted({c.options[0] for c in compilations if not shutil.which(c.options[0])})


def given():
    """What Frama-C is given, as far as a compiler has it: ({file: words}, complaints)."""
    found = [preprocess([builds.Compilation(f"{unit} (for Frama-C)", unit,
                                            ("gcc", "-D__FRAMAC__", "-ffreestanding", "-std=c11",
                                             width, *INCLUDES)) for unit in units()])
             for width in sorted(set(MACHDEPS.values()))]
    wrong = [w for _, complaints in found for w in complaints]
    first = found[0][0]
    wrong += [w for texts, _ in found[1:] for unit in units()
              for w in difference("the core for another machine", unit, texts, first)]
    return first, wrong


def given_by_frama_c(machdep):
    """What Frama-C gives its preprocessor, as Compilations."""
    said = run("frama-c", *frama_c_options(machdep)[:4], "-print-cpp-commands", *units(),
               env={**os.environ, "PWD": os.getcwd()}).stdout
    found = []
    for line in re.findall(r"^  (gcc -E .*)$", said, re.MULTILINE):
        words = [w for w in shlex.split(line) if w not in ("-E", "-C", "-dD")]
        compilation = builds.compilation_of(words)
        found.append(builds.Compilation(f"{os.path.relpath(compilation.source)} ({machdep})",
                                        compilation.source, compilation.options))
    return found


def difference(made, unit, texts, proved):
    """Where the words of a file are not those that were proved."""
    here, there = texts.get(unit, []), proved.get(unit, [])
    if here == there:
        return []
    at = next((i for i, (a, b) in enumerate(zip(here, there)) if a != b),
              min(len(here), len(there)))
    return [f"{made}: {unit} is compiled as `{' '.join(here[max(at - 4, 0):at + 6])}`, where "
            f"`{' '.join(there[max(at - 4, 0):at + 6])}` was proved"]


def same_text(compilations, proved):
    """Each of these compiles a file of the core as it was proved."""
    groups = collections.defaultdict(list)
    for c in compilations:
        groups[c.options, c.directory, c.copies].append(c)
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for group, (texts, complaints) in zip(groups.values(),
                                              pool.map(preprocess, groups.values())):
            wrong += complaints
            for c in group if texts else ():
                wrong += difference(c.made, origin(c)[0](c.source) or c.source, texts, proved)
    return wrong


def all_units(builder, compilations):
    """The proved files that are not among what is compiled."""
    there = {origin(c)[0](c.source) for c in compilations}
    return [f"{builder} does not compile {unit}" for unit in units() if unit not in there]


# ---- Builds ----

def of_core(compiled):
    """The compilations of the core: by what is compiled, or by what comes of it."""
    return [c for made, c in sorted(compiled.items()) if c.source in units()
            or re.search(r"(?:^|/)(?:ref/core/\w+|spec/codec)\.o$", made)]


def plain_options(compilations):
    """No option makes another program of the same text."""
    found = {(option, c.made) for c in compilations for option in c.options
             if REFUSED.match(option)}
    return [f"{made}: is compiled with {option}" for option, made in sorted(found)]


def whole(plan, products=PRODUCTS):
    """All that has code of the library has the core: each proved file, and none in its place."""
    wrong = [f"{product}: make does not say how it is made" for product in products
             if product not in plan.linked]
    for product in sorted(plan.linked):
        sources = {plan.compiled[o].source if o in plan.compiled else o
                   for o in builds.objects_in(product, plan.linked)}
        if not any(re.match(r"ref/\w+/|build/spec/codec\.c", s) for s in sources):
            continue
        wrong += [f"{product}: is made of {part}, not of an object of it"
                  for part in plan.linked[product] if part in units()]
        wrong += [f"{product}: is made without {unit}, which was proved" for unit in units()
                  if unit not in sources | LEFT_OUT.get(product, set())]
        wrong += [f"{product}: has {s}, which was not proved" for s in sorted(sources)
                  if s.startswith("ref/core/") and s not in units()]
    return wrong


def replaced(links):
    """No linker puts other functions in the place of the core's, except in fuzzers, which count and
    change calls."""
    return [f"{builds.product_of(words)}: is made with {word}" for words in links for word in words
            if REPLACING.search(word)
            and not (builds.product_of(words) or "").startswith("build/fuzz/")]


def shadowed():
    """No other header has the name of one of the core's: which of them is meant would depend on the
    order of directories."""
    names = {os.path.basename(path) for path in [*core_files(), *glob.glob("build/spec/*.h")]
             if path.endswith(".h")}
    return [f"{path}: has the name of a header of the core"
            for path in sorted(glob.glob("ref/**/*.h", recursive=True))
            if os.path.basename(path) in names and not path.startswith("ref/core/")
            or path.startswith("ref/core/") and os.path.exists(f"build/spec/{os.path.basename(path)}")]
