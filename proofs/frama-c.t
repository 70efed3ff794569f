#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What is not so is not proved, and programs that break down prove nothing.

The one function sb_magic() is proved in a copy of what the proofs need, where things are then
broken. That takes Frama-C, which the other tests do without: where it is missing each test counts
as skipped and says why, except in continuous integration, which has it.

Tests mostly wait for a prover, so several run at a time; each yields its points, as tap.ok() takes
them.
"""

import functools
import glob
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from erofs_ishare import tap
import wp


FILE, FUNCTION, GOAL = "ref/core/superblock.c", "sb_magic", "sb_magic_ensures_meaning"


class Tree:
    """A copy of what is proved and of the means, for one test, in which nothing is proved yet."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(dir=SCRATCH)
        for path in ("proofs", "ref/core", "tests/python"):
            shutil.copytree(f"{tap.TOP}/{path}", f"{self.directory}/{path}", symlinks=True)
        os.makedirs(f"{self.directory}/build/spec")
        os.makedirs(f"{self.directory}/bin")
        for name in ("spec.acsl.h", "layout.h", "codec.h", "codec.c", "rules.h", "rules.c"):
            shutil.copy(f"{tap.TOP}/build/spec/{name}", f"{self.directory}/build/spec/{name}")
        # The same with less patience.
        self.edit("proofs/wp.py", "SECONDS_PER_GOAL = 60", "SECONDS_PER_GOAL = 5")
        self.edit("proofs/wp.py", "PATIENCE = 10", "PATIENCE = 3")

    def edit(self, path, old, new):
        """Replace what must be there exactly once."""
        text = wp.read(f"{self.directory}/{path}")
        assert text.count(old) == 1, (path, old, text.count(old))
        wp.write(f"{self.directory}/{path}", text.replace(old, new))

    def fake(self, program, script):
        """A program that answers questions for its version and does something else for the rest."""
        options = "|".join({option for option, _ in wp.VERSIONS.values()})
        wp.write(f"{self.directory}/bin/{program}", "#!/bin/sh\n"
                 f"case $1 in {options}) exec {shutil.which(program)} \"$@\";; esac\n{script}\n",
                 0o755)

    def run(self, *command):
        """Run a program of the copy, in a directory that Frama-C must not take for it."""
        path = f"{self.directory}/bin:{os.environ['PATH']}"
        return tap.run([f"{self.directory}/{command[0]}", *command[1:]],
                       env={**os.environ, "PATH": path})

    def prove(self, *arguments):
        """Prove with the first machine alone."""
        return self.run("proofs/prove", "--machdep", "gcc_x86_64", *arguments,
                        f"{self.directory}/{FILE}")

    def find_unset(self):
        """Have a compiler follow all paths to where a local is read, in each function, used or
        not."""
        return tap.run(["clang", "-std=c11", "-ffreestanding", *wp.INCLUDES, "-fsyntax-only",
                        "-Wno-everything",
                        "-Werror=uninitialized", "-Werror=conditional-uninitialized",
                        *glob.glob("ref/core/*.c", root_dir=self.directory)], cwd=self.directory)

    def replay(self, done):
        """Run the command that is said to replay a goal; returns its exit status."""
        return self.run(*re.search(r"replay it alone: (.*)",
                                   done.stdout).group(1).split()).returncode


def accepts(name, done):
    """One test point: all is proved."""
    return (done.returncode == 0 and "all proved" in done.stdout and not done.stderr,
            f"accepts {name}", f"status {done.returncode}", done.stdout, done.stderr)


def refuses(name, done, *words):
    """One test point: it is not proved, for a reason that has all of the words."""
    return (done.returncode == 1 and "NOT PROVED" in done.stdout and "all proved" not in done.stdout
            and not done.stderr and all(word in done.stdout for word in words), f"refuses {name}",
            f"status {done.returncode}", done.stdout, done.stderr)


def function(*more):
    """The options for one function."""
    return ("--function", FUNCTION, *more)


def test_contents():
    """A function must do what the specification says, and its contract must not contradict
    itself."""
    tree = Tree()
    yield accepts("a function that decides its predicate", tree.prove(*function("--smoke")))
    yield accepts("what was proved before", tree.prove(*function("--smoke")))
    yield (tree.prove("--goal", GOAL).returncode == 0, "proves one goal alone")
    yield (tree.prove("--goal", f"{GOAL}_not").returncode == 1,
           "does not prove a goal that there is not")
    magic = re.search(r"predicate sb_magic\b[^;]*",
                      wp.read(f"{tree.directory}/build/spec/spec.acsl.h")).group()
    tree.edit("build/spec/spec.acsl.h", magic, magic + " + 1")
    done = tree.prove(*function())
    yield refuses("a function whose predicate has changed", done, GOAL, f"--goal {GOAL} {FILE}")
    yield (tree.replay(done) == 1, "the command to replay it does not prove it either")
    tree = Tree()
    body = re.search(r"\bbool sb_magic\(.*?^\}$", wp.read(f"{tree.directory}/{FILE}"),
                     re.DOTALL | re.MULTILINE).group()
    tree.edit(FILE, body, body.replace("==", "!="))
    yield refuses("a function that decides the contrary", tree.prove(*function()), GOAL,
                  f"--goal {GOAL} {FILE}")


def test_contradiction():
    """Smoke tests find what makes everything provable."""
    tree = Tree()
    head = re.search(r"/\*@[^/]*?\*/\s*bool sb_magic\(",
                     wp.read(f"{tree.directory}/ref/core/superblock.h")).group()
    tree.edit("ref/core/superblock.h", head,
              head.replace("terminates", "requires few: sb->magic < 2;\n"
                                                          "    requires many: sb->magic > 3;\n    "
                                                          "terminates"))
    yield accepts("a contradiction, without smoke tests", tree.prove(*function()))
    done = tree.prove(*function("--smoke"))
    yield refuses("a contradiction, with smoke tests", done,
                  "_wp_smoke_default_requires: nonsense can be proved here")
    yield (tree.replay(done) == 1, "the command to replay it shows the same")


def test_broken_prover(name, script):
    """A prover that breaks down has not proved anything, nor looked for contradictions."""
    tree = Tree()
    tree.fake("cvc5", script)
    yield refuses(f"a proof by a prover that {name}", tree.prove(*function()), GOAL,
                  f"--goal {GOAL} {FILE}")
    os.remove(f"{tree.directory}/bin/cvc5")
    yield accepts(f"a proof when the prover no longer {name}", tree.prove(*function()))
    tree.fake("cvc5", script)
    yield refuses(f"smoke tests by a prover that {name}, though all goals are known",
                  tree.prove(*function("--smoke")), "cvc5 gave no answer to 1 ",
                  "sb_magic_wp_smoke_default_requires",
                  f"proofs/prove --machdep gcc_x86_64 --smoke --function {FUNCTION} {FILE}")


def test_processor_time():
    """Only the processor's time is limited: a prover that a busy machine does not run goes on."""
    tree = Tree()
    tree.fake("cvc5", "while :; do :; done")
    yield refuses("a goal that takes too much time", tree.prove(*function()), f"{GOAL}: timeout")
    tree.fake("cvc5", f'sleep 12\nexec {shutil.which("cvc5")} "$@"')
    yield accepts("a prover that has to wait for longer than it may run", tree.prove(*function()))


def test_blind_prover():
    """A prover that finds no contradiction passes no smoke test."""
    tree = Tree()
    yield accepts("a proof", tree.prove(*function()))
    tree.fake("cvc5", "echo unknown")
    for attempt in ("smoke tests", "smoke tests again"):
        yield refuses(f"{attempt} by a prover that finds no contradiction, not even one that is "
                      "planted", tree.prove(*function("--smoke")),
                      "did not find a contradiction that was planted")


def test_broken_frama_c(name, script, *words):
    """Frama-C's silence is not a proof either."""
    tree = Tree()
    tree.edit("proofs/wp.py", "SECONDS_PER_FUNCTION = 1800", "SECONDS_PER_FUNCTION = 3")
    tree.fake("frama-c", script)
    yield refuses(f"a Frama-C that {name}", tree.prove(*function("--smoke")), *words)


def test_undefined():
    """What C does not define has no result that could be proved. Locals that are not set are left
    to a compiler."""
    returned = re.search(r"\bbool sb_magic\(.*?\n(\treturn .*?;\n)", wp.read(f"{tap.TOP}/{FILE}"),
                         re.DOTALL).group(1)
    tree = Tree()
    tree.edit(FILE, returned, "\tconst uint32_t *q = &sb->magic + 1000;\n\n"
              + returned.replace("sb->magic", "q[-1000]"))
    yield refuses("a pointer outside its object, though it is not used there",
                  tree.prove(*function()), "rte_pointer_value")
    tree = Tree()
    done = tree.find_unset()
    yield (done.returncode == 0, "finds no local that is not set", done.stderr)
    tree.edit(FILE, returned, "\tuint32_t unset, zero = unset - unset;\n\n"
              + returned.replace(";", " + zero;"))
    done = tree.find_unset()
    yield (done.returncode == 1 and "'unset' is uninitialized" in done.stderr,
           "refuses a local that is not set", f"status {done.returncode}", done.stderr)


VALID = "[wp] [Qed] Goal typed_sb_magic_ensures_meaning : Valid\\n[wp] Proved goals: 1 / 1"
TESTS = [test_contents, test_undefined, test_contradiction, *(
    functools.partial(test_broken_prover, *how) for how in (
        ("dies", "kill -SEGV $$"), ("says nonsense", "echo unsaturated fat; echo valid"),
        ("hangs", "exec sleep 1000"))
), test_processor_time, test_blind_prover, *(
    functools.partial(test_broken_frama_c, *how) for how in (
        ("says nothing", "exit 0", "summary is missing"),
        ("says that all is valid, and writes no report", f"printf '{VALID}\\n'", "no report"),
        ("is killed", "kill -KILL $$", "frama-c stopped with exit status -9"),
        ("complains", "echo '[kernel] User Error: no'; exit 1", "exit status 1",
         "User Error: no"),
        ("hangs", "exec sleep 1000", "did not end within 3 s"))
)]


def main():
    absent = [package for tool, package in wp.TOOLS.items() if not shutil.which(tool)]
    if absent and not os.environ.get("CI"):
        tap.skip("what is not so is not proved", f"needs {' '.join(absent)}: make deps-proofs")
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for points in pool.map(lambda test: list(test()), TESTS):
                for point in points:
                    tap.ok(*point)
    tap.done()


with tempfile.TemporaryDirectory() as SCRATCH:
    main()
