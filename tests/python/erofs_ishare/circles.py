# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""What files need of each other, and whether one needs itself by way of others."""

import collections

from . import tap


def symbols(path, *options):
    """The global symbols of an object file."""
    return set(tap.run(["nm", "--format=just-symbols", *options, path]).stdout.split())


def calls(made):
    """{C file: {C file: a symbol of which it needs}}"""
    home = {symbol: path for path, file in made.items()
            for symbol in symbols(file, "--defined-only", "--extern-only")}
    graph = collections.defaultdict(dict)
    for path, file in made.items():
        for symbol in symbols(file, "--undefined-only"):
            if home.get(symbol, path) != path:
                graph[path][home[symbol]] = symbol
    return graph


def circles(graph):
    """Ways from a file back to itself: one for each file where a search first finds one."""
    found, done = [], set()

    def visit(path, way):
        if path in way:
            found.append(" -> ".join([*way[way.index(path):], path]))
        elif path not in done:
            for target in graph.get(path, ()):
                visit(target, [*way, path])
            done.add(path)

    for path in sorted(graph):
        visit(path, [])
    return found
