#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The layers of ref/: each knows those below it, and none above; and no file goes in a circle."""

import glob
import os
import re

from erofs_ishare import tap
from erofs_ishare.circles import calls, circles
from erofs_ishare.files import read

# From the lowest to the highest. ref/ishare.h is the vocabulary of all but core.
LAYERS = ["core", "image", "check", "domain", "cmd"]
GENERATED = "build/spec"
PUBLIC = "ref/ishare.h"
# What only core may use: everybody else takes what core has decoded. A partition table is no part
# of an image.
BYTES = re.compile(r'#\s*include "bytes\.h"|\bishare_(put_)?le(16|32|64)\b')
MAY_DECODE = {"ref/image/partitions.c"}


def sources(layer):
    """The names of a layer's C files and headers, from the top of the tree."""
    return sorted(glob.glob(f"ref/{layer}/*.[ch]", root_dir=tap.TOP))


def resolve(name, includer):
    """The file that an #include "name" stands for, as the compiler looks for it."""
    for directory in (os.path.dirname(includer), "ref", "ref/core", GENERATED):
        path = os.path.normpath(f"{directory}/{name}")
        if os.path.exists(f"{tap.TOP}/{path}"):
            return path
    return None


def layer_of(path):
    """The index of a file's layer; -1 for what the specification generates. What all but core may
    include may itself include no more than core may."""
    if path == PUBLIC:
        return LAYERS.index("core")
    folder = os.path.dirname(path)
    return LAYERS.index(folder.removeprefix("ref/")) if folder != GENERATED else -1


def included(path):
    """The files of the project that a file includes, one after the other."""
    return [(name, resolve(name, path)) for name in
            re.findall(r'^\s*#\s*include "([^"]+)"', read(f"{tap.TOP}/{path}"), re.M)]


def wrong_include(path, name, target):
    """Why a file may not include another, or None."""
    if target is None:
        return f"{path} includes {name}, which is nowhere"
    if target == PUBLIC:
        return f"{path} includes {name}" if layer_of(path) == 0 else None
    if layer_of(target) > layer_of(path):
        return f"{path} includes {target}"
    return None


def decoding(path):
    """The lines in which a file reads or writes numbers of an image byte by byte."""
    return [f"{path}: {line.strip()}" for line in read(f"{tap.TOP}/{path}").splitlines()
            if BYTES.search(line)]


def decisions():
    """The words in code type of the page of what the library decides."""
    page = read(f"{tap.TOP}/proofs/README.md")
    page = page[page.index("## What the library decides"):]
    return set(re.findall(r"`([^`]+)`", page[:page.index("\n## ", 1)]))


def has_line(path, named):
    """Whether a file is named, with its layer or alone: twins that stand in one line are one step
    of one thing."""
    return bool({path.removeprefix("ref/"), os.path.basename(path)} & named)


def decides(files):
    """The page of what the library decides is complete, and names tests that exist."""
    named = decisions()
    library = [path for path in files if path.endswith(".c")
               and path.split("/")[1] in ("image", "check", "domain")]
    tap.is_empty([path for path in library if not has_line(path, named)],
                 "proofs/README.md says what each file of the library decides")
    tests = [name for name in named if re.search(r"(\.t|_test\.c)$", name)]
    tap.is_empty([name for name in tests if not any(
        os.path.exists(f"{tap.TOP}/{folder}{name}") for folder in ("", "tests/", "tests/unit/"))],
                 "and names tests that exist")
    tap.is_empty([name for name in named if re.fullmatch(r"[\w/]+\.c", name) and name not in tests
                  and not glob.glob(f"ref/*/{os.path.basename(name)}", root_dir=tap.TOP)],
                 "and no file that does not exist")


def objects():
    """{C file: its object file}"""
    return {path: f"{tap.TOP}/build/{path[:-2]}.o"
            for layer in LAYERS for path in sources(layer) if path.endswith(".c")}


def main():
    """Includes, then what the compiler has made of them."""
    files = [PUBLIC] + [path for layer in LAYERS for path in sources(layer)]
    wrong = [wrong_include(path, *pair) for path in files for pair in included(path)]
    tap.is_empty(filter(None, wrong), "no file of ref/ includes a header of a layer above its own")
    tap.is_empty([line for path in files
                  if not path.startswith("ref/core/") and path not in MAY_DECODE
                  for line in decoding(path)],
                 "no file of ref/ but those of core takes bytes of an image apart")
    decides(files)
    headers = {path: [target for _, target in included(path) if target] for path in files
               if path.endswith(".h")}
    tap.is_empty(circles(headers), "no header includes itself by way of others")
    status, said = tap.make("all")
    tap.ok(status == 0, "the objects are there", said)
    graph = calls(objects())
    tap.ok(2 * len(graph) > len(objects()), "most files need others", len(graph), len(objects()))
    tap.is_empty([f"{path} needs {symbol}() of {target}" for path in graph
                  for target, symbol in graph[path].items() if layer_of(target) > layer_of(path)],
                 "no file of ref/ needs a symbol of a layer above its own")
    tap.is_empty(circles(graph), "no file of ref/ needs itself by way of others")
    tap.done()


main()
