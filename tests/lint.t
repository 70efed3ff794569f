#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The sources: warnings, formatting, licences, and no stray files."""

import ast
import os
import re
import shutil
import tomllib

from erofs_ishare import tap
from erofs_ishare.files import read, write

DUAL = "GPL-2.0-or-later OR Apache-2.0"

# Files that cannot bear a licence line: REUSE.toml speaks for them.
NO_LICENCE_LINE = re.compile(
    r"LICENSES/.*|REUSE\.toml|(.*/)?\.gitignore|.*\.(md|erofs|blob|input|tar|tsv|json|html)")

# The core is freestanding, but gcc requires these of any environment, and the last one where frames
# are guarded.
COMPILER_MAY_CALL = {"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail"}


def tracked():
    """The files of the tree that have content of their own or of a link's target."""
    return [n for n in tap.tree_files() if os.path.isfile(f"{tap.TOP}/{n}")]


def content(name):
    """A tracked file's bytes."""
    with open(f"{tap.TOP}/{name}", "rb") as data:
        return data.read()


def interpreter(name):
    """The last part of a script's interpreter line, or None."""
    match = re.match(rb"#!\s*\S*?([^/\s]+)(?:[ \t]+(\S+))?[ \t]*\n", content(name)[:200])
    if not match:
        return None
    return (match[2] if match[1] == b"env" and match[2] else match[1]).decode()


def clean_run(name, command):
    """One test point: the command succeeds without output."""
    done = tap.run(command)
    tap.ok(done.returncode == 0 and not done.stderr.strip(), name, done.stdout + done.stderr)


def compile_without_warnings(compiler):
    """The program and the unit tests, as this compiler sees them; a warning is an error there."""
    units = [n[:-2] for n in tracked() if re.fullmatch(r"tests/unit/\w+_test\.c", n)]
    where = f"build/lint-{compiler}"
    status, said = tap.make(f"{where}/erofs-ishare", *(f"{where}/{u}" for u in units))
    tap.ok(status == 0 and not said.strip(), f"{compiler} has nothing to warn of in ref/ and tests/unit/",
           said)


# C for the kernel, which is compiled as part of it.
FOR_KERNEL = re.compile(r"kernel/(cocci|kunit|oracle)/|fuzz/kernel/overlay/")
# Folders whose headers others include. An array behind a struct fiemap is meant to be so.
ELSEWHERE = ["-Iref", "-Iref/core", "-Ibuild/spec", "-Iref/cmd", "-Ifuzz/image", "-Ifuzz/mutator",
             "-Wno-gnu-variable-sized-type-not-at-end"]


def others_without_warnings(compiler, files):
    """All other C code for user space: tests, fuzzers, and what runs in guests."""
    others = [n for n in files if n.endswith(".c") and not FOR_KERNEL.match(n)
              and not n.startswith(("ref/", "tests/unit/"))]
    done = tap.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-Wall",
                    "-Wextra", "-Werror", *ELSEWHERE, "-fsyntax-only", *others])
    tap.ok(others and done.returncode == 0 and not done.stderr.strip(),
           f"{compiler} has nothing to warn of in other C code for user space", done.stderr)


def headers_stand_alone(files):
    """Each header compiles without another before it."""
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-Iref", "-Iref/core", "-Ibuild/spec", "-fsyntax-only"]
    wrong = []
    for name in files:
        if re.fullmatch(r"ref/(\w+/)?\w+\.h", name):
            done = tap.run(["gcc", *flags, "-include", name, "-x", "c", "/dev/null"])
            wrong += [done.stderr] if done.returncode else []
    tap.is_empty(wrong, "each header can be included alone")


# What the files of these folders must not name: nothing knows those who use it.
ABOVE = {"ref": r"(?:kernel|fuzz)/\w+", "kernel": r"fuzz/\w+"}


def arrows(files):
    """ref/ names nothing in kernel/ and fuzz/, and kernel/ nothing in fuzz/, in includes and in
    words."""
    wrong = []
    for name in files:
        above = ABOVE.get(name.split("/")[0])
        # The manual is the user's, who may look anywhere.
        if above and not name.endswith(".1"):
            named = re.findall(rf"(?<![\w-])(?:\.\./)*{above}",
                               content(name).decode(errors="replace"))
            wrong += [f"{name} names {word}" for word in named]
    tap.is_empty(wrong, "ref/ and kernel/ do not name those who use them")


COLUMNS = 100
LONG_STRING = 30
DATA = re.compile(r"LICENSES/|.*/(corpus|regressions)/(?!README)|.*\.(erofs|blob|input|tar|tsv|list|patch|json)$"
                  r"|kernel/findings/[^/]*/log$|spec/tests/good\.md$")
STRING = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'[^']*')")
CONSOLE = re.compile(r"^```console\n.*?^```$", re.M | re.S)


def too_long(name, text):
    """The numbers of lines that are too wide. Tables and shown output in Markdown may be wider; so
    may a line with a long string, which is not split, so that a search finds it."""
    markdown = name.endswith(".md")
    if markdown:
        text = CONSOLE.sub(lambda shown: re.sub(r"[^\n]", "", shown[0]), text)
    for number, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) <= COLUMNS or markdown and line.lstrip().startswith("|"):
            continue
        longest = 0 if markdown else max(map(len, STRING.findall(line)), default=0)
        if longest < LONG_STRING or len(line.expandtabs(8)) - longest > COLUMNS:
            yield number


def line_width(files):
    """One width everywhere, so that two files can be read side by side."""
    wrong = [f"{name}:{number}" for name in files if not DATA.match(name)
             for number in too_long(name, content(name).decode(errors="replace"))]
    tap.is_empty(wrong, f"no line is longer than {COLUMNS} columns")


def scripts(files):
    """Shell and Python."""
    shell = [n for n in files if interpreter(n) in ("sh", "bash") or n.endswith(".bash")]
    clean_run("shellcheck has nothing to say", ["shellcheck", *shell])
    python = [n for n in files if n.endswith(".py") or interpreter(n) in ("python3", "python")]
    wrong = []
    for name in python:
        try:
            compile(content(name), name, "exec")
        except SyntaxError as error:
            wrong.append(f"{name}:{error.lineno}: {error.msg}")
    tap.is_empty(wrong, "Python can be compiled")
    clean_run("pyflakes has nothing to say", ["pyflakes3", *python])
    tap.is_empty([n for n in python if interpreter(n)
                  and not content(n).startswith(b"#!/usr/bin/python3\n")],
                 "Python runs under Debian's interpreter")
    run_as_program = [n for n in files if interpreter(n)]
    tap.is_empty([n for n in run_as_program if not os.access(f"{tap.TOP}/{n}", os.X_OK)],
                 "programs are executable")


def python_modules(files):
    """Programs find what they share beside them, by a link, and say what they are."""
    programs = [n for n in files if interpreter(n) == "python3"]
    python = [n for n in files if n.endswith(".py")] + programs
    tap.is_empty([n for n in python if b"sys." b"path" in content(n)],
                 "no Python looks for modules anywhere but beside the program")
    package = re.compile(rb"^(?:from|import) erofs_ishare\b", re.M)
    tap.is_empty([n for n in programs if package.search(content(n))
                  and not os.path.islink(f"{tap.TOP}/{os.path.dirname(n)}/erofs_ishare")],
                 "programs that need the package erofs_ishare have a link to it beside them")
    tap.is_empty([n for n in programs if not ast.get_docstring(ast.parse(content(n)))],
                 "programs in Python begin with what they are")


def licence_lines(files):
    """Every source says its licence in its first lines."""
    wrong = []
    for name in files:
        if NO_LICENCE_LINE.fullmatch(name):
            continue
        wanted = "GPL-2.0-or-later" if name.startswith("kernel/") else DUAL
        # the head of a mail comes first
        head = content(name).split(b"\n")[:8 if name.endswith(".patch") else 3]
        said = [re.sub(rb".*SPDX-License-" rb"Identifier: *(.*?)( \*/| -->)?$", rb"\1",
                       line).decode()
                for line in head if b"SPDX-License-" b"Identifier:" in line]
        if said != [wanted]:
            wrong.append(f"{name}: {said[0] if said else 'no licence line'}, not {wanted}")
    tap.is_empty(wrong, "every source has its licence line")


def dep5():
    """REUSE.toml in the older form that Debian 12's reuse reads."""
    text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
    for part in tomllib.loads(content("REUSE.toml").decode())["annotations"]:
        paths = part["path"] if isinstance(part["path"], list) else [part["path"]]
        text += (f"\nFiles: {' '.join(p.replace('**', '*') for p in paths)}\n"
                 f"Copyright: {part['SPDX-FileCopyrightText']}\nLicense: "
                 f"{part['SPDX-License-Identifier']}\n")
    return text


def reuse(files):
    """The tracked files, in a copy, as a reuse program wants them."""
    copy = f"{tap.TOP}/build/lint/reuse"
    shutil.rmtree(copy, ignore_errors=True)
    for name in files:
        os.makedirs(os.path.dirname(f"{copy}/{name}"), exist_ok=True)
        shutil.copy(f"{tap.TOP}/{name}", f"{copy}/{name}")
    version = re.search(r"(\d+)\.", tap.run(["reuse", "--version"]).stdout)
    if version and int(version[1]) < 4:
        os.mkdir(f"{copy}/.reuse")
        write(f"{copy}/.reuse/dep5", dep5())
        os.unlink(f"{copy}/REUSE.toml")
    done = tap.run(["reuse", "--root", copy, "lint"])
    tap.ok(done.returncode == 0, "reuse finds a licence for every file", done.stdout + done.stderr)


def hosts():
    """Names of the hosts that this machine gets packages from."""
    places = tap.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).stdout.split()
    if shutil.which("npm"):
        places += tap.run(["npm", "config", "get", "registry"]).stdout.split()
    for variable in ("PIP_INDEX_URL", "GOPROXY", "http_proxy", "https_proxy"):
        places += os.environ.get(variable, "").split(",")
    return {m[1].lower() for p in places
            if (m := re.match(r"\w+://(?:[^/@]*@)?([^/:]+\.[^/:]+)", p))}


def no_host_names(files):
    """Where packages come from is the machine's business."""
    names = hosts()
    tap.ok(names, "it is known which hosts the tree must not name", "apt names none")
    found = [f"{file} names {host}" for file in files for host in sorted(names)
             if host.encode() in content(file).lower()]
    tap.is_empty(found, "no file names a host that packages come from")


def symbols(*options):
    """(kind, name) of what nm lists."""
    lines = tap.run(["nm", *options]).stdout.splitlines()
    return [tuple(line.split()[-2:]) for line in lines if re.search(r" [A-Za-z] \S+$", line)]


def library_symbols():
    """Programs that link with the library keep their own names."""
    header = read(f"{tap.TOP}/build/spec/rules.h")
    rules = {r.lower() for r in re.findall(r"^\tISHARE_RULE_(\w+),$", header, re.M)}
    defined = [n for _, n in symbols("--extern-only", "--defined-only", "build/libishare.a")]
    tap.ok(defined and rules, "the library defines something", "nm lists nothing")
    tap.is_empty([n for n in defined if not n.startswith("ishare_") and n not in rules],
                 "the library's public names are ishare_* and rules")


def core_is_freestanding(files):
    """Nothing is called from the core but itself and what a compiler may call anywhere."""
    objects = [f"build/{n[:-2]}.o" for n in [*files, "spec/codec.c"]
               if re.fullmatch(r"(ref/core/\w+|spec/codec)\.c", n)]
    defined = {n for _, n in symbols("--extern-only", "--defined-only", *objects)}
    called = {n for _, n in symbols("--undefined-only", *objects)}
    tap.ok(defined, "the core defines something", "nm lists nothing")
    tap.is_empty(sorted(called - defined - COMPILER_MAY_CALL),
                 "the core calls nothing outside itself")


def stray_files():
    """What is built is below build/; in CI, nothing else may have changed
    either."""
    if not os.path.exists(f"{tap.TOP}/.git"):
        tap.skip("nothing lies about", "only git knows")
        return
    said = tap.run(["git", "status", "--porcelain", "--untracked-files=all"]).stdout.splitlines()
    stray = said if os.environ.get("CI") else [s for s in said if s.startswith("??")]
    tap.is_empty(stray, "nothing lies about: add it, ignore it or make it below build/")
    ignored = tap.run(["git", "status", "--porcelain", "--ignored"]).stdout.splitlines()
    tap.is_empty([s for s in ignored if s.startswith("!!") and s[3:] != "build/"
                  and "__pycache__" not in s],
                 "nothing is ignored but build/")


def main():
    files = tracked()
    tap.ok(tap.make("all")[0] == 0, "it builds")
    for compiler in ("gcc", "clang"):
        compile_without_warnings(compiler)
        others_without_warnings(compiler, files)
    headers_stand_alone(files)
    arrows(files)
    line_width(files)
    clean_run("clang-format would change nothing",
              ["clang-format", "--dry-run", "-Werror",
               *(n for n in files if re.search(r"\.[ch]$", n))])
    scripts(files)
    python_modules(files)
    licence_lines(files)
    reuse(files)
    no_host_names(files)
    library_symbols()
    core_is_freestanding(files)
    stray_files()
    # Patches quote what others wrote.
    clean_run("codespell finds no misspelling", ["codespell", "--quiet-level=35",
                                              "--ignore-words-list=covert,iput,nam,nd", *(
        n for n in files if not re.search(r"^LICENSES/|\.(erofs|blob|input|tar|patch)$", n))])
    tap.done()


if __name__ == "__main__":
    main()
