#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""`make dist`: the same bytes from any clone at any time, and a tarball that builds and passes
tests outside of git, in a directory with a space in its name."""

import os
import re
import tempfile

from erofs_ishare import tap
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.run import without_make

TESTS = ["tests/readme.t", "tests/stages.t", "spec/tests/specc.t"]
WHO = ["-c", "user.name=x", "-c", "user.email=x@example.org"]


def git(where, *arguments):
    """Runs git in a directory, at some time of its own."""
    return tap.run(["git", *WHO, *arguments], cwd=where)


def make(where, *arguments, **environment):
    """(status, what make said) in another tree."""
    done = tap.run(["make", "--no-print-directory", "-s", *arguments], cwd=where,
                   env=without_make() | environment)
    return done.returncode, done.stdout + done.stderr


def repository(top):
    """A repository with one commit: this tree as it is, committed or not."""
    tap.copy_tree(top)
    git(top, "init", "-q")
    git(top, "add", "--all", "--force")
    git(top, "commit", "-q", "-m", "all")


def version_of(top):
    """The one place that has it."""
    return re.search(r'^#define ISHARE_VERSION "(.*)"$', read(f"{top}/ref/ishare.h"), re.M)[1]


def tarball_of(clone):
    """(path of the tarball, its bytes) that a clone makes."""
    status, said = make(clone, "dist")
    path = f"{clone}/build/erofs-ishare-{version_of(clone)}.tar.gz"
    tap.ok(status == 0 and os.path.exists(path), f"make dist in {os.path.basename(clone)}", said)
    return path, read_bytes(path)


def reproducible(work):
    """Two clones, which differ in path, umask and time; returns one's tarball."""
    origin = f"{work}/origin"
    os.mkdir(origin)
    repository(origin)
    git(work, "clone", "-q", origin, f"{work}/one")
    old = os.umask(0o077)
    git(work, "clone", "-q", origin, f"{work}/the other")
    os.umask(old)
    for at, _, names in os.walk(f"{work}/the other/spec"):
        for name in names:
            os.utime(f"{at}/{name}", (1, 1), follow_symlinks=False)
    path, first = tarball_of(f"{work}/one")
    _, second = tarball_of(f"{work}/the other")
    tap.ok(first == second and len(first) > 100000, "two clones make the same bytes")
    return path


def refuses(clone):
    """Trees that make-dist refuses."""
    with open(f"{clone}/README.md", "a", encoding="utf-8") as readme:
        readme.write("changed\n")
    status, said = make(clone, "dist")
    tap.ok(status and "commit or remove first:  M README.md" in said, "not a tree with changes",
           said)
    git(clone, "checkout", "-q", "README.md")
    text = read(f"{clone}/ref/ishare.h")
    write(f"{clone}/ref/ishare.h", re.sub(r'(ISHARE_VERSION) ".*"', r'\1 "9.99"', text))
    git(clone, "commit", "-q", "-a", "-m", "version")
    status, said = make(clone, "dist")
    tap.ok(status and "NEWS has no entry of version 9.99" in said, "not without news", said)


def tarball_works(path, where):
    """It builds, shows its demo and passes tests where there is no git."""
    os.mkdir(where)
    tap.run(["tar", "-xzf", path, "-C", where])
    (top,) = os.listdir(where)
    tap.ok(top == f"erofs-ishare-{version_of(tap.TOP)}", "the directory bears the version", top)
    top = f"{where}/{top}"
    # git must not find a repository above.
    alone = {"GIT_CEILING_DIRECTORIES": where, "CFLAGS": "-O0"}
    status, said = make(top, "demo", **alone)
    tap.ok(status == 0 and "exit status 1" in said, "it builds, and make demo passes", said)
    status, said = make(top, "dist", **alone)
    tap.ok(status and "made from a git repository" in said, "make dist needs git", said)
    done = tap.run(["prove", *TESTS], cwd=top,
                   env=os.environ | alone | {"ISHARE_TOOL": "build/erofs-ishare"})
    tap.ok(done.returncode == 0, f"it passes {' '.join(TESTS)}", done.stdout, done.stderr)
    done = tap.run(["kernel/uml/build-guest", "kernel/uml/guests/plain"], cwd=top)
    tap.ok(done.returncode == 1 and "no path with spaces or colons\n" in done.stderr,
           "a guest cannot be built in this directory, and one line says so", done.stderr)
    listed = tap.run(["tests/tools/list-files"], cwd=top).stdout.splitlines()
    tap.is_empty(sorted(set(listed) ^ set(tap.tree_files())), "its files are those of the tree")


def main():
    """Clones, and a tarball of one."""
    if not os.path.exists(f"{tap.TOP}/.git"):
        tap.skip("make dist", "this tree is no git repository")
        tap.done()
    with tempfile.TemporaryDirectory() as work:
        path = reproducible(work)
        tarball_works(path, f"{work}/a release")
        refuses(f"{work}/one")
    tap.done()


if __name__ == "__main__":
    main()
