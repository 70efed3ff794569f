#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""tests/tools/stages on made-up stages: order, failures, resuming, and the record."""

import json
import os
import re
import shutil
import tempfile
import tomllib
from unittest import mock

from erofs_ishare import tap

TABLE = r"""
[left-out]
command = "false"
all = false
ci = false

[first]
command = "echo ran >>build/first; echo 'Files=2, Tests=30,  1 wallclock secs'"
ci = "; echo in CI"

[broken]
command = "test -e fixed &&"
needs = ["first"]
ci = "true"

[on-broken]
command = "true"
needs = ["broken"]

[last]
command = '''
	printf 'sampled: a tenth\na.t .. not run: more\n7 sets\n'
	echo '{"goals": 5, "other": 1}' >build/r.json
'''
needs = ["first"]
figures = ["(?P<sets>\\d+) sets"]
reports = { "build/r.json" = ["goals"] }
"""


class Tree:
    """A repository of its own with the program and a table."""

    def __init__(self, top):
        self.top = top
        os.makedirs(f"{top}/tests/tools")
        shutil.copytree(f"{tap.TOP}/tests/python", f"{top}/tests/python")
        for name in ("stages", "turns", "erofs_ishare"):
            shutil.copy(f"{tap.TOP}/tests/tools/{name}", f"{top}/tests/tools/{name}",
                        follow_symlinks=False)
        with open(f"{top}/tests/tools/stages.toml", "w", encoding="utf-8") as table:
            table.write(TABLE)
        os.mkdir(f"{top}/build")
        self.write(".gitignore", "/build\n")
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")

    def write(self, name, text):
        """A file with this content."""
        with open(f"{self.top}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def git(self, *arguments):
        """Runs git with a made-up user."""
        tap.run(["git", "-c", "user.name=x", "-c", "user.email=x", *arguments], cwd=self.top)

    def stages(self, *arguments):
        """(finished program, the record)"""
        done = tap.run(["tests/tools/stages", "--record", "build/record.json", *arguments],
                       cwd=self.top)
        with open(f"{self.top}/build/record.json", encoding="utf-8") as record:
            return done, json.load(record)

    def program(self, name, script):
        """A program of this name that comes before others."""
        os.makedirs(f"{self.top}/build/bin", exist_ok=True)
        path = f"{self.top}/build/bin/{name}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def times_run(self):
        """How often the first stage has run."""
        with open(f"{self.top}/build/first", encoding="utf-8") as notes:
            return len(notes.readlines())


def results(record):
    """{stage: result}"""
    return {stage["name"]: stage["result"] for stage in record["stages"]}


def failures(tree):
    """The stages that run after a failure."""
    done, record = tree.stages("first", "broken true", "last")
    tap.ok(done.returncode == 1 and record["result"] == "failed" and results(record) == {
        "first": "passed", "broken": "failed", "last": "not run"}, "the first failure ends the run",
        done.stdout, done.stderr)
    done, record = tree.stages("--all", "--keep-going")
    tap.ok(done.returncode == 1 and results(record) == {
        "first": "passed", "broken": "failed", "on-broken": "not run", "last": "incomplete"},
        "--keep-going runs what does not need the stage that failed", done.stdout, done.stderr)
    done = tap.run(["tests/tools/stages", "nonesuch"], cwd=tree.top)
    tap.ok(done.returncode == 2 and "no stage 'nonesuch'" in done.stderr, "an unknown stage")
    return record


def contents(tree, record):
    """The contents of the record."""
    stage = {s["name"]: s for s in record["stages"]}
    tap.ok(stage["first"]["figures"] == {"programs": 2, "points": 30},
           "points of prove are counted")
    tap.ok(stage["last"]["figures"] == {"sets": 7, "goals": 5}, "figures of output and reports")
    tap.ok(stage["last"]["sampled"] == ["a tenth"] and stage["last"]["not_run"] == ["more"],
           "what a stage sampled and did not run is kept")
    done, alone = tree.stages("last")
    tap.ok(done.stdout.endswith("\nlast: sampled: a tenth\nlast: not run: more\n"),
           "and ends the output", done.stdout)
    tap.ok(done.returncode == 0 and alone["result"] == "incomplete"
           and results(alone) == {"last": "incomplete"},
           "a stage that did not run everything is incomplete", done.stdout)
    commit = tap.run(["git", "rev-parse", "HEAD"], cwd=tree.top).stdout.strip()
    tap.ok(record["commit"] == commit and record["dirty"] is False, "the commit, not dirty")
    tap.ok(record["versions"].keys() >= {"gcc", "make", "python"} and record["host"]["processors"],
           "versions and host")
    tap.ok(stage["first"]["versions"] == record["versions"], "versions when a stage has run")
    tap.ok(all(s["seconds"] >= 0 and s["started"] for s in record["stages"] if "status" in s),
           "each stage that has run has its times")


def integration(tree):
    """What --ci runs."""
    done, record = tree.stages("--ci", "--keep-going")
    tap.ok(results(record) == {"left-out": "left out", "first": "passed", "broken": "failed",
                               "on-broken": "not run", "last": "incomplete"}
           and "left-out: not run: it is not part of CI\n" in done.stdout,
           "--ci runs all but what the table leaves out, and says so", done.stdout)
    tap.ok(done.returncode == 1 and record["result"] == "failed"
           and {"in CI", "first: run with ; echo in CI"} <= set(done.stdout.splitlines()),
           "it adds arguments, and says so", done.stdout)
    tree.write("fixed", "")
    done, record = tree.stages("--ci")
    tap.ok(done.returncode == 0 and record["result"] == "incomplete",
           "what --ci leaves out makes the record incomplete", done.stdout, done.stderr)


def environment(tree):
    """What stages see of the environment."""
    with mock.patch.dict(os.environ, ONLY="a", SWEEP="no", MAKEFLAGS="k", KDIR="/k", SAMPLE="s",
                         https_proxy="p"):
        done, record = tree.stages("left-out || env")
    seen = set(done.stdout.splitlines())
    tap.ok(not seen & {"ONLY=a", "SWEEP=no", "MAKEFLAGS=k"}
           and seen >= {"KDIR=/k", "SAMPLE=s", "https_proxy=p"},
           "no variable that cuts tests down reaches a stage", done.stdout)
    tap.ok(record["kdir"] == "/k" and tree.stages("first")[1]["kdir"] is None,
           "the record says whether KDIR was set")


def repeats(tree, name, times, **variables):
    """A point: how often the first stage runs when it is resumed."""
    before = tree.times_run()
    with mock.patch.dict(os.environ, variables):
        done, _ = tree.stages("--resume", "first")
    tap.ok(tree.times_run() == before + times, name, done.stdout)


def unknown_inputs(tree):
    """Outcomes that depend on what is not in the tree."""
    own = {"PATH": f"{tree.top}/build/bin:{os.environ['PATH']}"}
    tree.stages("first")
    repeats(tree, "with KDIR everything is repeated", 1, KDIR=tree.top)
    repeats(tree, "each time", 1, KDIR=tree.top)
    repeats(tree, "and after it", 1)
    tree.program("gcc", "echo 99.1")
    repeats(tree, "another version of a tool repeats what has passed", 1, **own)
    repeats(tree, "once", 0, **own)
    repeats(tree, "and so does the former version", 1)
    os.makedirs(f"{tree.top}/build/kernel/plain")
    tree.write("build/kernel/plain/guest.json", '{"version": "7.1"}')
    repeats(tree, "a kernel that has been built since does not", 0)
    tree.stages("first")
    tree.write("build/kernel/plain/guest.json", '{"version": "7.2"}')
    repeats(tree, "but another one does", 1)


def without_git(tree):
    """git that fails, and a tree without git."""
    before = tree.times_run()
    tree.program("git", f'[ "$1" != write-tree ] || {{ echo "no space" >&2; exit 1; }}\n'
                        f'exec {shutil.which("git")} "$@"')
    with mock.patch.dict(os.environ, PATH=f"{tree.top}/build/bin:{os.environ['PATH']}"):
        done = tap.run(["tests/tools/stages", "--resume", "first"], cwd=tree.top)
    tap.ok(done.returncode == 2 and done.stderr == "stages: git write-tree: no space\n"
           and tree.times_run() == before, "a failure of git is an error", done.stdout, done.stderr)
    os.rename(f"{tree.top}/.git", f"{tree.top}/build/git")
    repeats(tree, "without a repository, stages run", 1)
    repeats(tree, "and are repeated", 1)
    os.rename(f"{tree.top}/build/git", f"{tree.top}/.git")


def resuming(tree):
    """Which stages are repeated, and when."""
    before = tree.times_run()
    _, record = tree.stages("--resume", "first")
    tap.ok(tree.times_run() == before and record["stages"][0]["earlier_run"]
           and record["result"] == "passed", "--resume does not repeat what has passed")
    tree.stages("first")
    tap.ok(tree.times_run() == before + 1, "without it everything runs")
    kept = os.environ.get("SAMPLE", "")
    os.environ["SAMPLE"] = "another"
    _, record = tree.stages("--resume", "first")
    tap.ok(tree.times_run() == before + 2 and record["sample"] == "another",
           "another sample is another run")
    os.environ["SAMPLE"] = kept
    tree.stages("first")
    before += 2
    tree.write("fixed", "")
    done, record = tree.stages("--resume", "first", "broken true", "on-broken")
    tap.ok(done.returncode == 0 and tree.times_run() == before + 2,
           "a change of the tree repeats what has passed", done.stdout)
    tap.ok(record["dirty"] is True and "changes that are not committed" in done.stdout,
           "and a dirty tree is said to be so")
    tree.git("add", "-A")
    tree.git("commit", "-q", "-m", "fixed")
    _, record = tree.stages("--resume", "first")
    tap.ok(tree.times_run() == before + 3 and not record["dirty"], "as does another commit")
    done, record = tree.stages("--resume", "last >changed")
    tap.ok(record["dirty"] and "the tree has changed while last ran" in done.stdout,
           "a change while a stage runs makes the record dirty", done.stdout)
    done, _ = tree.stages("--resume", "last >changed")
    tap.ok("passed before" not in done.stdout, "and what ran then is run again", done.stdout)


def evidence(tree):
    """tests/tools/turns records what the record of a run shows to have passed."""
    stages = ("guests", "test-kernel", "test-findings", "test-fuzz-kernel")
    tree.write("tests/tools/stages.toml",
               "".join(f'[{name}]\ncommand = "true"\n' for name in stages))
    tree.git("add", "-A")
    tree.git("commit", "-q", "-m", "parts")
    record = ["tests/tools/turns", "--record"]
    with mock.patch.dict(os.environ, SAMPLE="s"):
        tree.stages("--all")
    done = tap.run(record, cwd=tree.top)
    tap.ok(done.returncode == 1
           and done.stderr == "turns: build/record.json is about the sample s\n",
           "a sample is no evidence that all parts passed", done.stdout, done.stderr)
    tree.stages(*stages[:3])
    done = tap.run(record, cwd=tree.top)
    tap.ok(done.returncode == 1 and done.stderr.endswith(": test-fuzz-kernel\n")
           and done.stderr.count("\n") == 1, "nor is a run without a part", done.stderr)
    tree.git("clean", "-q", "-f")
    tree.stages("--all")
    done = tap.run(record, cwd=tree.top)
    tap.ok(done.returncode == 0 and not done.stderr, "a full run is", done.stdout, done.stderr)
    done = tap.run(record, cwd=tree.top)
    tap.ok(done.returncode == 1 and "about other files" in done.stderr,
           "until a file is changed, be it that very record", done.stderr)


def real_table():
    """The stages of this tree are targets of make, and need only stages before them."""
    with open(f"{tap.TOP}/tests/tools/stages.toml", "rb") as text:
        table = tomllib.load(text)
    targets = set(re.findall(r"^  ([a-z-]+) ", tap.make("help")[1], re.M))
    wrong, seen = [], set()
    for name, entry in table.items():
        if not set(entry["command"].split()[1:]) <= targets:
            wrong += [f"{name}: {entry['command']}"]
        wrong += [f"{name} needs {need}" for need in entry.get("needs", []) if need not in seen]
        seen.add(name)
    tap.is_empty(wrong, "the stages are targets, in an order that satisfies their needs")
    tested = {t for t in targets if t.startswith("test") and t != "test-all"}
    tap.is_empty(sorted(tested - seen), "every test target is a stage")
    with open(f"{tap.TOP}/.ci/run", encoding="utf-8") as script:
        named = set(re.findall(r"[\w-]+", script.read().partition("\nset -eu\n")[2]))
    tap.is_empty(sorted(named & (seen - {"build"})), ".ci/run names no stage")


def main():
    """Made-up stages, then the table of this tree."""
    for name in ("KDIR", "SAMPLE"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as work:
        tree = Tree(work)
        contents(tree, failures(tree))
        environment(tree)
        resuming(tree)
        unknown_inputs(tree)
        without_git(tree)
        evidence(tree)
    with tempfile.TemporaryDirectory() as work:
        integration(Tree(work))
    real_table()
    tap.done()


if __name__ == "__main__":
    main()
