#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The targets of make: what `make help` lists, which packages each target checks or installs, and
how to run one test program or point."""

import os
import re
import shutil
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import read, write

# Who installs packages; deps-* do, too.
INSTALLERS = {"demo", "test"}
# Who needs none, or says itself what is missing.
FREE = {"clean", "dist", "format", "help", "uninstall"}
# What stands beside the stubs on PATH. None of these has the name of a package that a target needs.
PLAIN = ["sh", "sed", "grep", "awk", "cat", "env", "printf", "mkdir", "nproc", "id", "rm", "cmp",
         "find", "head", "tail",
         "mktemp", "touch", "mv", "cut"]

PROGRAM = """\
#!/bin/sh
echo "# about the first"
echo "ok 1 - the first"
echo "not ok 2 - the second"
echo "# about the second"
echo "not ok 3 - the third # TODO later"
echo "1..3"
exit 1
"""


SLOW = """\
#!/bin/sh
echo begins >&2
sleep 1
echo ends >&2
echo "not ok 1 - wrong"
echo "1..1"
exit 1
"""


def help_lines():
    """{group: {target: description}}"""
    groups, group = {}, None
    for line in tap.make("help")[1].splitlines():
        if match := re.fullmatch(r"  ([a-z-]+) +(\S.*)", line):
            groups[group][match[1]] = match[2]
        elif line:
            group = line.rstrip(":")
            groups[group] = {}
    return groups


def makefiles():
    """{name: text} of all of them."""
    names = ["Makefile", *tap.run(["find", "spec", "proofs", "kernel", "fuzz", "tests", "-name",
                                   "*.mk"]).stdout.split()]
    texts = {}
    for name in names:
        texts[name] = read(f"{tap.TOP}/{name}")
    return texts


def listed(groups):
    """The list of targets, and the names in it."""
    targets = [target for group in groups.values() for target in group]
    tap.ok(len(groups) >= 5 and len(targets) == len(set(targets)) > 30,
           "make help lists each target once, in groups")
    status, said = tap.make("help")
    tap.is_empty([line for line in said.splitlines() if len(line) > 100] + [status] * status,
                 "in lines of 100 columns")
    prefixes = {"Test": ("test", "lint"), "Report": ("report-",),
                "Install packages from Debian": ("deps",)}
    tap.is_empty([f"{target} in {group}" for group, names in prefixes.items()
                  for target in groups.get(group, [""])
                  if not target.startswith(names)], "names tell the group")
    texts = makefiles()
    tap.is_empty([name for name, text in texts.items() if "$(MAKE)" in text],
                 "no target calls make")
    needs = {target for text in texts.values()
             for target in re.findall(r"^needs_([\w-]+) :=", text, re.M)}
    rules = {target for text in texts.values() for target in re.findall(r"^([a-z-]+):", text, re.M)}
    tap.is_empty(sorted(needs - rules), "needs_TARGET is of a target that is there")


class Bare:
    """A copy of the tree, and a PATH on which no package is installed; apt-get only notes how it
    was called."""

    def __init__(self, work):
        self.tree, self.path, self.calls = f"{work}/tree", f"{work}/bin", f"{work}/calls"
        os.makedirs(self.path)
        tap.copy_tree(self.tree)
        for name in PLAIN:
            os.symlink(shutil.which(name), f"{self.path}/{name}")
        write(f"{self.path}/dpkg-query", "#!/bin/sh\nexit 1\n", 0o755)
        write(f"{self.path}/apt-get", f"#!/bin/sh\necho \"$@\" >>'{self.calls}'\nexit 1\n", 0o755)
        write(f"{self.path}/sudo", "#!/bin/sh\nexec \"$@\"\n", 0o755)

    def make(self, *arguments):
        """(status, stdout, the lines of stderr without make's own, the packages that apt-get was
        asked for)"""
        if os.path.exists(self.calls):
            os.unlink(self.calls)
        done = tap.run([shutil.which("make"), "-s", *arguments], cwd=self.tree,
                       env={"PATH": self.path})
        complaints = [line for line in done.stderr.splitlines()
                      if not re.match(r"make(\[\d\])?: ", line)]
        asked = ""
        if os.path.exists(self.calls):
            asked = read(self.calls)
        return done.returncode, done.stdout, complaints, asked


def packages(groups):
    """Every target that needs packages says which target installs them, before it makes
    anything."""
    lists = set(groups.get("Install packages from Debian", ()))
    wanted = {target for group in groups.values() for target in group} - FREE - INSTALLERS - lists
    tap.ok(lists and wanted, "there are targets that install and targets that do not")
    with tempfile.TemporaryDirectory() as work:
        bare = Bare(work)
        for target in sorted(wanted):
            status, said, complaints, asked = bare.make(target)
            named = re.search(r"need-packages: missing: .*: run 'make ([a-z-]+)'$",
                              "\n".join(complaints))
            tap.ok(status and not said and len(complaints) == 1 and named and named[1] in lists
                   and not asked, f"{target}: one line says what to run", said, *complaints, asked)
        for target in sorted(lists | INSTALLERS):
            status, said, complaints, asked = bare.make(target)
            tap.ok(status and said.startswith("installing: ") and "install -y" in asked
                   and len(complaints) == 1,
                   f"{target}: lists the packages and installs them", said, *complaints, asked)
        tap.ok(not os.path.exists(f"{bare.tree}/build"), "and nothing was made")
        status, said, complaints, asked = bare.make("guests", "deps-kernel=")
        tap.ok(status and not asked and "need-packages" not in "".join(complaints),
               "deps-kernel= does not look", *complaints)


def one_program():
    """ONLY=PROGRAM and ONLY=PROGRAM:POINT."""
    with tempfile.TemporaryDirectory() as work:
        first, second = f"{work}/first.t", f"{work}/second.t"
        write(first, PROGRAM, 0o755)
        write(second, "#!/bin/sh\necho \"ok 1 - only is $ONLY\"\necho 1..1\n", 0o755)

        def run(only):
            return tap.run(["tests/tools/run-tests", first, second],
                           env=os.environ | {"ONLY": only})
        done = run("")
        tap.ok(done.returncode == 1 and "Files=2, Tests=4" in done.stdout,
               "without ONLY all programs run", done.stdout)
        done = run(second)
        tap.ok(done.returncode == 0 and "Files=1, Tests=1" in done.stdout, "ONLY=PROGRAM runs one",
               done.stdout)
        done = run(f"{second}:1")
        tap.ok("ok 1 - only is \n" in done.stdout, "which does not see ONLY", done.stdout)
        done = run(f"{first}:1")
        tap.ok(done.returncode == 0
               and done.stdout.startswith("# about the first\nok 1 - the first\n")
               and "second" not in done.stdout, "ONLY=PROGRAM:NUMBER shows one point", done.stdout)
        done = run(f"{first}:The Second")
        tap.ok(done.returncode == 1 and "not ok 2 - the second\n# about the second\n" in done.stdout
               and "first\n" not in done.stdout,
               "ONLY=PROGRAM:WORDS, too, with what was said of it", done.stdout)
        tap.ok(run(f"{first}:third").returncode == 0,
               "a point that is expected to fail does not count")
        tap.ok(run(f"{first}:1").stderr == f"running all of {first} to show 1 point\n",
               "it is said that the whole program runs")
        refused(work, run)


def refused(work, run):
    """What ONLY cannot mean, in few words."""
    first, silent = f"{work}/first.t", f"{work}/silent.t"
    write(silent, "#!/bin/sh\necho broken\n", 0o755)
    for only, why in ((f"{work}/third.t", f"no test program {work}/third.t here; there are:\n"
                       f"  {first}\n  {work}/second.t\n"),
                      (f"{first}:9", f"{first}: no point 9: points are 1 to 3\n"),
                      (f"{first}:0", f"{first}: no point 0: points are 1 to 3\n"),
                      (f"{first}:fourth", f"{first}: no description contains 'fourth'\n"),
                      (f"{first}:", f"ONLY='{first}:' must be PROGRAM or PROGRAM:POINT\n"),
                      (":1", "ONLY=':1' must be PROGRAM or PROGRAM:POINT\n")):
        done = run(only)
        said = re.sub("^running all of .*\n", "", done.stderr)
        tap.ok(done.returncode == 2 and said == f"run-tests: {why}" and not done.stdout,
               f"else: {why.splitlines()[0].replace(work, 'DIR')}", done.stdout, done.stderr)
    done = tap.run(["tests/tools/run-tests", silent], env=os.environ | {"ONLY": f"{silent}:1"})
    tap.ok(done.returncode == 2 and "no points; its last lines are:\n# broken\n" in done.stderr,
           "else: what a program printed that has no points", done.stdout, done.stderr)


def side_by_side():
    """run-tests --parallel: what each program says is in one piece, and who fails does."""
    with tempfile.TemporaryDirectory(dir=f"{tap.TOP}/build") as work:
        names = [f"{os.path.relpath(work, tap.TOP)}/{name}.t" for name in ("first", "second")]
        for name in names:
            write(f"{tap.TOP}/{name}", SLOW, 0o755)
        done = tap.run(["tests/tools/run-tests", "--parallel", *names])
    tap.ok(sorted(done.stderr.split("# ")[1:]) == [f"{n}:\nbegins\nends\n" for n in names],
           "programs side by side do not mix what they say", done.stderr)
    tap.ok(done.returncode == 1 and done.stdout.count("\nnot ok 1 - wrong") == 2,
           "and a point that fails does so there, too", done.stdout)


def main():
    """All targets."""
    groups = help_lines()
    listed(groups)
    packages(groups)
    one_program()
    side_by_side()
    tap.done()


if __name__ == "__main__":
    main()
