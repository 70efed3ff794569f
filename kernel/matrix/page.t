#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the matrix in a browser: every row is there, disagreements first, the filter works,
and phones can show it.

    page.t [DIRECTORY]    with a directory: pictures go there
"""

import os
import sys
import tempfile

from erofs_ishare import tap
from erofs_ishare.browser import Browser
from erofs_ishare.files import read
import cases
import page
from judge import AGREES, DISAGREES, EXPLAINED, RANK, UNSPECIFIED, cell, worst


PHONE, DESK = 390, 1280
ROWS = "[...document.querySelectorAll('#matrix tbody')]"
SHOWN = f"{ROWS}.filter(r => r.offsetHeight > 0)"
LONG = "W" * 300
COUNTS = {AGREES: 1, UNSPECIFIED: 3, EXPLAINED: 2, DISAGREES: 1}


def row(case, number):
    """A row on a vector, with verdicts that take turns; now and then with text that does not want
    to break."""
    verdict = (AGREES, EXPLAINED, DISAGREES, UNSPECIFIED, AGREES)[number % 5]
    why = "" if verdict == AGREES else f"kernel/findings/unmount is why of {number} {LONG if number % 50 == 2 else ''}"
    cells = {column: cell("as it should be")
             for column in page.COLUMNS} | {"mount": cell("EIO <b>&", verdict, why)}
    return {"name": case.name, "rule": case.rule, "kind": case.kind, "file": case.file,
            "why": case.why,
            "edits": case.edits, "base": case.base, "mounted": None,
            "words": {case.rule: "what is said of it"},
            "cells": cells, "verdict": worst(c["verdict"] for c in cells.values()),
            "kernel": {"errors": [["/f", "read", "", "EIO"]], "log": f"<3>one\n<4>two\n{LONG}"},
            "fsck": {"said": LONG, "value": "refuses"},
            "dump": {"said": "", "value": "passes"}}


def report():
    """A matrix such as it could be."""
    rows = [row(case, number) for number, case in enumerate(cases.vectors())]
    return {"kernel": "7.x", "guest": {"package": "some", "config_sha256": "0" * 64},
            "tools": {"fsck.erofs": "1.x"},
            "rates": {"vectors": {"images": 1, "guests": 1, "seconds": 1, "mounts_per_second": 1}},
            "counts": {v: sum(r["verdict"] == v for r in rows) for v in RANK}, "rows": rows,
            "swept": True, "sweep": {"fields": [{"field": f"f.{LONG[:60]}"} | COUNTS],
                      "told": [{"name": LONG, "core": "conforms",
                                "cells": {"mount": cell("EIO", DISAGREES, "why")}}]},
            "sweep_counts": COUNTS}


def test_rows(browser, url, expected):
    """Every row, disagreements first."""
    browser.open(url, DESK)
    tap.ok(browser.ask(f"{ROWS}.length") == expected, f"one row for each of {expected} images",
           browser.ask(f"{ROWS}.length"))
    tap.ok(browser.ask(f"{SHOWN}.length") == expected, "all are shown at first")
    ranks = [RANK[v] for v in browser.ask(f"{ROWS}.map(r => r.dataset.verdict)")]
    tap.ok(ranks == sorted(ranks, reverse=True),
           "disagreements come first, then what is explained, then what is not specified", ranks)
    names = browser.ask(f"{ROWS}.map(r => r.querySelector('th').textContent)")
    tap.ok(len(set(names)) == len(names), "each image once")
    counts = browser.ask("[...document.querySelectorAll('.counts li')].map(l => l.className)")
    tap.ok(counts == [page.KINDS[v] for v in (DISAGREES, EXPLAINED, UNSPECIFIED, AGREES)],
           "each verdict is counted, the worst first", counts)
    outside = [u for u in browser.loaded() if not u.startswith((url, "data:", "about:"))]
    tap.is_empty(outside, "nothing is loaded from elsewhere")
    tap.is_empty(browser.complaints(), "the script runs without an error")


def test_filter(browser, url, rows):
    """By verdict, by rule, by words, and all at once."""
    browser.open(url, DESK)
    columns = browser.ask("[...document.querySelectorAll('#matrix thead th')].map(h => "
                          "h.offsetWidth)")

    def choose(**values):
        for field, value in ({"text": "", "rule": "", "verdict": ""} | values).items():
            browser.ask(f"document.forms[0].elements.{field}.value = '{value}'")
        browser.ask("document.forms[0].dispatchEvent(new Event('input'))")
        return browser.ask(f"{SHOWN}.map(r => r.querySelector('th').textContent)")

    def wanted(condition):
        return sorted(r["name"] for r in rows if condition(r))

    for name, values, condition in (
            ("unexplained disagreements only", {"verdict": DISAGREES},
             lambda r: r["verdict"] == DISAGREES),
            ("all disagreements", {"verdict": f"{DISAGREES} {EXPLAINED}"},
             lambda r: r["verdict"] in (DISAGREES, EXPLAINED)),
            ("what is not specified", {"verdict": UNSPECIFIED},
             lambda r: r["verdict"] == UNSPECIFIED),
            ("by rule", {"rule": rows[9]["rule"]}, lambda r: r["rule"] == rows[9]["rule"]),
            ("by words, in any case", {"text": rows[9]["name"].upper()},
             lambda r: rows[9]["name"] in page.words_of(r)),
            ("by rule and verdict", {"rule": rows[9]["rule"], "verdict": AGREES},
             lambda r: r["rule"] == rows[9]["rule"] and r["verdict"] == AGREES),
            ("what there is not", {"text": "no-such-word"}, lambda r: False)):
        shown = choose(**values)
        tap.ok(sorted(shown) == wanted(condition), f"filter {name}: {len(shown)} rows", shown[:10],
               wanted(condition)[:10])
        number = browser.ask("document.querySelector('output').textContent")
        tap.ok(number.startswith(f"{len(shown)} of {len(rows)} "),
               f"filter {name}: the number is shown")
        tap.ok(browser.ask("document.querySelector('#nothing').hidden") == bool(shown),
               f"filter {name}: it is said if nothing matches")
        widths = browser.ask("[...document.querySelectorAll('#matrix thead th')].map(h => "
                             "h.offsetWidth)")
        tap.ok(widths == columns, f"filter {name}: the columns stay", widths, columns)


def test_details(browser, url):
    """Links lead to rules; the hex view says what is different."""
    browser.open(url, DESK)
    links = browser.ask("[...document.querySelectorAll('#matrix a')].map(a => "
                        "a.getAttribute('href'))")
    text = read(f"{tap.TOP}/build/spec/spec.html")
    rules = [u.removeprefix("spec/spec.html#") for u in links if u.startswith("spec/spec.html#")]
    tap.is_empty(sorted({r for r in rules if f'id="{r}"' not in text}),
                 "links lead to rules of the specification")
    others = {u for u in links if not u.startswith("spec/spec.html#")}
    tap.ok(others == {"../kernel/findings/unmount/README.md"}, "and to findings", others)
    tap.ok(browser.ask("document.querySelectorAll('#matrix pre ins').length") > 100,
           "changed bytes are marked")
    logs = browser.ask("[...document.querySelectorAll('#matrix pre')].map(p => p.textContent)")
    tap.ok(f"one\ntwo\n{LONG}" in logs, "the kernel's log has no levels")
    tap.ok(browser.ask("[...document.querySelectorAll('details')].every(d => !d.open)"),
           "all is folded up at first")
    tap.ok(browser.ask("document.querySelectorAll('#matrix b').length") == 0,
           "what images say is text, not markup")


def test_left_out(browser, url):
    """A matrix without the sweep says so."""
    browser.open(url, DESK)
    said = browser.ask("document.querySelector('header').innerText")
    tap.ok("sweep was left out" in said and not browser.ask("document.querySelector('#sweep')"),
           "the page says that the sweep was left out", said)


def test_access(browser, url):
    """Accessibility for screen readers."""
    browser.open(url, DESK)
    for name, expression in (
            ("the page has a language and a title",
             "document.documentElement.lang && document.title"),
            ("every field has a label", "[...document.querySelectorAll('input,select')].every(e => "
                                        "e.labels.length)"),
            ("verdicts are not told by colour alone",
             "[...document.querySelectorAll('td.cell:not(.none)')].every(c => "
             "c.querySelector('.mark').ariaLabel)"),
            ("each row has a heading",
             "[...document.querySelectorAll('tr.vector')].every(r => "
             "r.querySelector('th[scope=row]'))")):
        tap.ok(browser.ask(f"Boolean({expression})"), name)
    browser.open(url, PHONE)
    tap.ok(browser.ask("[...document.querySelectorAll('#matrix tr')].every(r => "
                       "r.getAttribute('role') === 'row')"),
           "the table remains one for screen readers where it is shown as cards")


def test_sizes(browser, url, what, directory):
    """Nothing is wider than the screen, folded or not."""
    for width, dark in ((PHONE, False), (PHONE, True), (768, False), (DESK, False), (DESK, True)):
        browser.open(url, width, dark=dark)
        if directory:
            browser.picture(f"{directory}/{what}-{width}-{'dark' if dark else 'light'}.png")
        tap.ok(browser.ask("document.documentElement.scrollWidth") <= width,
               f"{what}: {width} pixels are wide enough",
               browser.ask("document.documentElement.scrollWidth"))
        browser.ask("document.querySelectorAll('details').forEach((d, i) => d.open = i < 40 || "
                    "d.closest('#sweep'))")
        wide = browser.ask("document.documentElement.scrollWidth")
        tap.ok(wide <= width, f"{what}: {width} pixels, unfolded", wide)
        if directory:
            browser.picture(f"{directory}/{what}-{width}-{'dark' if dark else 'light'}-open.png")


def main():
    """A made-up matrix; and the real one, if there is one."""
    directory = sys.argv[1] if len(sys.argv) > 1 else None
    made_up = report()
    browser = Browser()
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as out:
            out.write(page.page(made_up))
            out.flush()
            url = f"file://{out.name}"
            test_rows(browser, url, len(made_up["rows"]))
            test_filter(browser, url, made_up["rows"])
            test_details(browser, url)
            test_access(browser, url)
            test_sizes(browser, url, "made up", directory)
            tap.ok("left out" not in browser.ask("document.querySelector('header').innerText"),
                   "the page does not say so of one with the sweep")
            out.seek(0)
            out.truncate()
            out.write(page.page(made_up | {"swept": False, "sweep": None, "sweep_counts": None}))
            out.flush()
            test_left_out(browser, url)
        if os.path.exists(f"{tap.TOP}/build/matrix.html"):
            real = f"file://{tap.TOP}/build/matrix.html"
            test_rows(browser, real, len(list(cases.vectors())) + len(list(cases.images())))
            test_sizes(browser, real, "real", directory)
        else:
            tap.skip("the page of the real matrix", "make report-matrix has not been run")
    finally:
        browser.close()
    tap.done()


if __name__ == "__main__":
    main()
