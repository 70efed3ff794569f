#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What others use to run erofs-ishare on their images: the action for GitHub's runners, action.yml,
whose steps run here as a runner would run them, and the hook for pre-commit."""

import os
import re
import shlex
import shutil
import tempfile

import yaml

from erofs_ishare import tap
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.run import without_make

GOOD = read_bytes(f"{tap.TOP}/tests/images/digest-512.erofs")
BAD = GOOD[:1024 + 0x69] + b"\x09" + GOOD[1024 + 0x6A:]  # names a prefix that is not there
FORM, DIGEST = b"sha256:", GOOD.rpartition(b"sha256:")[2][:32]
WRONG = GOOD.replace(FORM + DIGEST, FORM + DIGEST[::-1])  # a fingerprint that is no content's
EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")


class Action:
    """action.yml, and a checkout of the tree in which it runs."""

    def __init__(self, directory):
        self.yaml = yaml.safe_load(read(f"{tap.TOP}/action.yml"))
        self.steps = self.yaml["runs"]["steps"]
        self.path = f"{directory}/action"
        self.workspace = f"{directory}/workspace"
        tap.copy_tree(self.path)
        os.mkdir(self.workspace)

    def value(self, text, inputs):
        """What a runner makes of a text with expressions."""
        values = {f"inputs.{name}": spec.get("default") for name, spec in
                  self.yaml["inputs"].items()}
        values |= {f"inputs.{name}": value for name, value in inputs.items()}
        values["github.action_path"] = self.path
        return EXPRESSION.sub(lambda m: values[m[1]], text)

    def run(self, step, **inputs):
        """Runs a step, as a runner's documentation says of `shell: bash`."""
        script = write(f"{self.workspace}/../step.sh", step["run"])
        where = self.value(step.get("working-directory", self.workspace), inputs)
        environment = {name: self.value(value, inputs) for name, value in
                       step.get("env", {}).items()}
        return tap.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script], cwd=where,
                       env=without_make() | environment)

    def image(self, name, content):
        """An image in the workspace."""
        write(f"{self.workspace}/{name}", content)


def test_form(action):
    """The form of action.yml, as far as mistakes in it would show only on a runner."""
    inputs, steps = action.yaml["inputs"], action.steps
    tap.ok(action.yaml["runs"]["using"] == "composite" and action.yaml["name"]
           and action.yaml["description"], "it is a composite action with name and description")
    tap.is_empty([s for s in steps if s.get("shell") != "bash" or not s.get("run")
                  or set(s) - {"name", "shell", "run", "env", "working-directory"}],
                 "each step names its shell, and has nothing unknown")
    tap.is_empty([name for name, spec in inputs.items() if not spec.get("description")
                  or spec.get("required", False) != (spec.get("default") is None)
                  or set(spec) - {"description", "required", "default"}],
                 "each input is described, and has a default or is required")
    used = {e for s in steps for text in (*s.get("env", {}).values(),
                                          s.get("working-directory", ""))
            for e in EXPRESSION.findall(text)}
    tap.ok(used == {f"inputs.{name}" for name in inputs} | {"github.action_path"},
           "all inputs are used, and nothing else is", *sorted(used))
    tap.is_empty([s["name"] for s in steps if "${{" in s["run"]],
                 "no input becomes part of a script")
    for step in steps:
        done = tap.run(["shellcheck", "--shell=bash", "-"], input=step["run"], stdin=None)
        tap.ok(done.returncode == 0, f"{step['name']}: shellcheck has nothing to say", done.stdout)


def test_steps(action):
    """The steps, one after the other."""
    build, check = action.steps
    done = action.run(build)
    tap.ok(done.returncode == 0 and os.access(f"{action.path}/build/erofs-ishare", os.X_OK),
           "the first step builds the program", done.stdout[-1000:], done.stderr[-2000:])
    for name, content in (("good.erofs", GOOD), ("with blank.erofs", GOOD), ("sub/bad.erofs", BAD),
                          ("wrong.img", WRONG), ("-dash.img", GOOD), ("large.img", sized())):
        action.image(name, content)
    one, two = (rf"(?m)^{images}: .*\n(?:.*\n)*0 errors, " for images in ("1 image", "2 images"))
    error = r"::error file=sub/bad\.erofs,title=sb\.ishare-prefix-id::"
    cases = (
        ("a good image", 0, one, {"images": "good.erofs"}),
        ("a pattern", 0, two, {"images": "*.erofs\n"}),
        ("several lines", 0, two, {"images": "\n  good.erofs \nwith blank.erofs\n"}),
        ("a name that begins with a dash", 0, one, {"images": "-d*"}),
        ("a bad image", 1, error, {"images": "sub/*\ngood.erofs"}),
        ("a profile", 0, r"title=sb\.feature-compat::", {"images": "good.erofs",
                                                         "profile": "linux-6.12"}),
        ("a wrong fingerprint, without digests", 0, one, {"images": "wrong.img"}),
        ("a wrong fingerprint", 1, r"title=fingerprint\.digest::",
         {"images": "wrong.img", "digests": "true"}),
        ("two domains", 0, two, {"images": "good.erofs\nlarge.img"}),
        ("one domain", 1, r"title=fingerprint\.same-size::",
         {"images": "good.erofs\nlarge.img", "domain": "true"}))
    for name, status, said, inputs in cases:
        done = action.run(check, **inputs)
        tap.ok(done.returncode == status and re.search(said, done.stdout), name, done.returncode,
               done.stdout[-1000:], done.stderr[-1000:])
    for name, inputs, said in (
            ("no image of that name", {"images": "good.erofs\nnothing.erofs"},
             "no image is called: nothing.erofs"),
            ("a pattern without a match", {"images": "nothing*"}, "no image is called: nothing*"),
            ("no image at all", {"images": " \n\n"}, "the input images is empty"),
            ("digests is neither", {"images": "good.erofs", "digests": "yes"},
             "the input digests is neither true nor false"),
            ("domain is neither", {"images": "good.erofs", "domain": ""},
             "the input domain is neither true nor false")):
        done = action.run(check, **inputs)
        tap.ok(done.returncode == 2 and done.stdout == f"::error::erofs-ishare: {said}\n", name,
               done.returncode, done.stdout, done.stderr)
    done = action.run(check, images="good.erofs", profile="x'; touch \"made\" $(touch made)")
    tap.ok(done.returncode == 2 and not os.path.exists(f"{action.workspace}/made"),
           "an input is never a command", done.stderr)


def sized():
    """The image with a file of another size than one with the same fingerprint in GOOD."""
    done = tap.run([*tap.TOOL, "dump", "--format=json", f"{tap.TOP}/tests/images/digest-512.erofs"])
    inode = next(i for i in yaml.safe_load(done.stdout)["inodes"] if i["path"] == "/one")
    offset = inode["offset"] + 8  # i_size of a compact inode
    return GOOD[:offset] + b"\x02" + GOOD[offset + 1:]


def test_hook(directory):
    """The hook: what pre-commit would run, and pre-commit itself where it is installed."""
    hooks = yaml.safe_load(read(f"{tap.TOP}/.pre-commit-hooks.yaml"))
    known = {"id", "name", "description", "entry", "language", "files", "require_serial"}
    tap.is_empty([h for h in hooks if set(h) != known or h["language"] != "system"],
                 "each hook runs what is installed, and has nothing unknown")
    program = f"{directory}/bin/erofs-ishare"
    write(program, f'#!/bin/sh\nexec {shlex.join(tap.TOOL)} "$@"\n', 0o755)
    environment = {**os.environ, "PATH": f"{os.path.dirname(program)}:{os.environ['PATH']}"}
    for hook in hooks:
        tap.ok(all(bool(re.search(hook["files"], name)) == matches for name, matches in (
            ("a/b.erofs", True), ("b.erofs.gz", False), ("erofs", False))),
               f"{hook['id']}: takes images by their names")
        for name, content, status in (("good", GOOD, 0), ("bad", BAD, 1)):
            write(f"{directory}/{name}.erofs", content)
            done = tap.run([*shlex.split(hook["entry"]), "good.erofs", f"{name}.erofs"],
                           cwd=directory, env=environment)
            tap.ok(done.returncode == status and "2 images: " in done.stdout,
                   f"{hook['id']}: {name} images", done.stdout, done.stderr)
        under_pre_commit(hook["id"], directory, environment)


def under_pre_commit(hook, directory, environment):
    """Runs a hook by pre-commit, from a repository made of the tree."""
    points = {name: f"{hook}: pre-commit, {name} image" for name in ("good", "bad")}
    if not shutil.which("pre-commit"):
        for point in points.values():
            tap.skip(point, "pre-commit is not installed")
        return
    hooks, user = f"{directory}/hooks", f"{directory}/user"
    write(f"{hooks}/.pre-commit-hooks.yaml", read(f"{tap.TOP}/.pre-commit-hooks.yaml"))
    write(f"{user}/good.erofs", GOOD)
    write(f"{user}/bad.erofs", BAD)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for repository in (hooks, user):
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            tap.run([*git, *command], cwd=repository)
    environment = {**environment, "PRE_COMMIT_HOME": f"{directory}/home"}
    for name, point in points.items():
        done = tap.run(["pre-commit", "try-repo", hooks, hook, "--files", f"{name}.erofs"],
                       cwd=user, env=environment)
        tap.ok(done.returncode == (name == "bad")
               and ("sb.ishare-prefix-id" in done.stdout) == (name == "bad"), point, done.stdout,
               done.stderr)


def main():
    """All tests."""
    with tempfile.TemporaryDirectory() as directory:
        action = Action(directory)
        test_form(action)
        test_steps(action)
        test_hook(directory)
    tap.done()


if __name__ == "__main__":
    main()
