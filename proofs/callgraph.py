# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What calls what, as compilers and Frama-C see it.

Each function is proved to end if those that it calls do. That proves nothing of functions that call
each other in a circle, in whichever files they are; so there must be no circle, and no call whose
target only shows at run time.
"""

import collections
import concurrent.futures
import glob
import os
import re
import tempfile

import builds
from erofs_ishare.circles import circles
from wp import core_files, die, INCLUDES, MACHDEPS, options as frama_c_options, read, run, write

INDIRECT = "__indirect_call"
NODE = re.compile(r'node: \{ title: "([^"]*)" label: "([^\\"]*)(?:\\n([^:"]*))?')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"')
DOT_EDGE = re.compile(r'"UV (\w+) \(\d+\)"\s*->\s*"UV (\w+) \(\d+\)"')
# A walk's status says whether the rule holds of a record: the library calls no function for that.
WALKED = {"dir_entry_bounds": ("ishare_dirent_first", "ishare_dirent_next"),
          "xattr_entry_bounds": ("ishare_entry_first", "ishare_entry_next")}
# What these functions of the core find out about rules is what the library reports.
JUDGES = ("ishare_superblock_judge",)
LIBRARY = ("image", "check", "domain")


def compiled(options, sources):
    """The calls that a compiler makes of files: {function: {functions that it calls}}; functions
    with the name of another, which must be static, have their file's name before theirs."""
    absolute = [re.sub(r"^-I(?=[^/])", f"-I{os.getcwd()}/", option) for option in options]
    with tempfile.TemporaryDirectory() as directory:
        done = run(*absolute, "-w", "-O0", "-fkeep-static-functions", "-fkeep-inline-functions",
                   "-fcallgraph-info", "-S", *map(os.path.abspath, sources), cwd=directory)
        if done.returncode:
            die(f"{sources[0]} and others do not compile:\n{done.stderr}")
        return merged(parse(read(path)) for path in sorted(glob.glob(f"{directory}/*.ci")))


def parse(text):
    """The calls in a file that gcc has written."""
    names = {title: f"{os.path.basename(place)}:{name}" if ":" in title else name
             for title, name, place in NODE.findall(text) if title != INDIRECT}
    graph = {name: set() for name in names.values()}
    for caller, callee in EDGE.findall(text):
        graph.setdefault(names.get(caller, caller), set()).add(names.get(callee, callee))
    return graph


def merged(graphs):
    """All calls of several graphs."""
    found = collections.defaultdict(set)
    for graph in graphs:
        for caller, callees in graph.items():
            found[caller] |= callees
    return found


def of_core():
    """The calls in the core, those in its headers, too."""
    headers = [path for path in core_files() if path.endswith(".h")]
    with tempfile.TemporaryDirectory() as directory:
        write(f"{directory}/headers.c", "".join(f'#include "{os.path.basename(path)}"\n'
                                                for path in headers))
        return compiled(["gcc", "-std=c11", "-ffreestanding", *INCLUDES],
                        [*(path for path in core_files() if path.endswith(".c")),
                         f"{directory}/headers.c"])


def of_frama_c():
    """The calls in the core as Frama-C reads it."""
    with tempfile.TemporaryDirectory() as directory:
        done = run("frama-c", *frama_c_options(next(iter(MACHDEPS)))[:4], "-cg",
                   f"{directory}/calls.dot", *(p for p in core_files() if p.endswith(".c")),
                   env={**os.environ, "PWD": os.getcwd()})
        if done.returncode:
            die(f"frama-c draws no call graph:\n{done.stdout}{done.stderr}")
        return parse_dot(read(f"{directory}/calls.dot"))


def parse_dot(text):
    """The calls in a file that Frama-C has written."""
    graph = collections.defaultdict(set)
    for caller, callee in DOT_EDGE.findall(text):
        graph[caller].add(callee)
    return graph


def endless(graph, seen_by):
    """Circles of calls, and calls that cannot be followed."""
    wrong = [] if any(graph.values()) else [f"{seen_by} sees no calls in the core"]
    wrong += [f"{caller}() calls through a pointer, as {seen_by} sees it: what is called cannot be "
              "proved to end" for caller in sorted(graph) if INDIRECT in graph[caller]]
    return wrong + [f"functions call each other in a circle, as {seen_by} sees it, so that none is "
                    f"proved to end: {circle}"
                    for circle in circles({k: sorted(v) for k, v in graph.items()})]


def of_library(compiled_files):
    """The calls in the library's own files, by the compilations of libishare.a."""
    groups = collections.defaultdict(list)
    for made, c in compiled_files.items():
        if re.match(rf"build/ref/({'|'.join(LIBRARY)})/", made):
            groups[os.path.dirname(c.source), c.options].append(c.source)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return merged(pool.map(lambda group: compiled(builds.heeded(group[0][1]), group[1]),
                               groups.items()))


def reached(graph, start):
    """The functions that one calls, by way of others, too."""
    found, todo = set(), [start]
    while todo:
        new = graph.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def unused(rules, graph, core):
    """Rules are decided by their own functions: the library calls each of them, or a judge of the
    core that does."""
    called = set().union(*graph.values())
    called = called.union(*(reached(core, judge) for judge in called.intersection(JUDGES)))
    wrong = []
    for name, identifier in rules:
        deciding = WALKED.get(identifier, (identifier,))
        if missing := sorted(set(deciding) - called):
            wrong.append(f"rule {name}: ref/{{{','.join(LIBRARY)}}} do not call "
                         f"{', '.join(missing)}(), so something else decides it")
    return wrong
