# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Writes build/proofs/report.json: what was proved, by what, in what time, under which
assumptions."""

import json
import os
import re

from wp import BUILD, HERE, NO_FIGURES, SPEC, read, run, try_to_remove, write

PAGE = "build/spec/spec.html"
RULES = "build/spec/rules.c"


def spec_rules():
    """(name, identifier) of each rule that has a predicate, in the specification's order."""
    predicates = set(re.findall(r"\bpredicate\s+(\w+)", read(SPEC)))
    names = re.findall(r'^\t\t\.name = "([^"]+)"', read(RULES), re.MULTILINE)
    rules = [(name, re.sub(r"\W", "_", name)) for name in names]
    return [(name, identifier) for name, identifier in rules if identifier in predicates]


def assumptions():
    """The headings below "What is assumed" in README.md: there each is explained."""
    section = re.search(r"^## What is assumed$(.*?)^## ", read(f"{HERE}/README.md"),
                        re.MULTILINE | re.DOTALL)
    return re.findall(r"^### (?:\d+\. )?(.*)$", section.group(1), re.MULTILINE)


def add(numbers):
    """The sum of several functions' figures."""
    total = dict(NO_FIGURES)
    for figures in numbers:
        total = {k: round(total[k] + figures[k], 3) for k in total}
    return total


def totals(results):
    """Functions, goals and so on, over all machines; results is {machine: {(file, function):
    figures}}."""
    functions = {key for proved in results.values() for key in proved}
    return {"functions": len(functions),
            **add(f for proved in results.values() for f in proved.values())}


def closing_line(results, smoke, versions, total, wall):
    """The figures in one line."""
    figures = totals(results)
    proved = {function for functions in results.values() for _, function in functions}
    rules = sum(identifier in proved for _, identifier in spec_rules())
    return (f"prove: {figures['functions']} of {total} functions, {rules} rules: "
            f"{figures['goals']} goals valid ({figures['qed']} Qed, {figures['cvc5']} cvc5, "
            f"{figures['seconds']:.0f} s) for {', '.join(results)}; {sum(smoke.values())} smoke "
            f"tests passed; {wall:.0f} s; "
            + ", ".join(f"{tool} {version}" for tool, version in versions.items())
            + f"; {len(assumptions())} assumptions")


def remove():
    """Remove the report, and the page that has its figures: what they say is no longer so, or not
    known to be."""
    if os.path.exists(f"{BUILD}/report.json"):
        try_to_remove(f"{BUILD}/report.json")
        try_to_remove(PAGE)


def state():
    """The commit that the proved tree stands on, and whether what was proved has been changed
    since."""
    commit = run("git", "rev-parse", "HEAD").stdout.strip()
    changed = run("git", "status", "--porcelain", "--", "ref/core", "spec", "proofs").stdout.strip()
    return (commit or "none") + (", with changes" if changed else "")


def write_report(results, versions, wall):
    places = {function: (path, function) for proved in results.values()
              for path, function in proved}
    rules = []
    for name, identifier in spec_rules():
        key = places[identifier]
        rules.append({"rule": name, "function": identifier, "file": key[0],
                      **add(proved[key] for proved in results.values() if key in proved)})
    functions = [{"file": path, "function": function,
                  "machdeps": {m: proved[path, function] for m, proved in results.items()
                               if (path, function) in proved}}
                 for path, function in sorted({key for proved in results.values()
                                               for key in proved})]
    report = {"commit": state(), "versions": versions, "machdeps": list(results),
              "assumptions": assumptions(),
              "totals": {**totals(results), "rules": len(rules),
                         "wall seconds of the last run": round(wall)},
              "rules": rules, "functions": functions}
    write(f"{BUILD}/report.json", json.dumps(report, indent=1) + "\n")
    return report
