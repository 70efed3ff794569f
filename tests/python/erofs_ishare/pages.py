# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Pages in HTML: the frame, the stylesheet, and the parts that more than one page has. A page loads
nothing from elsewhere, works on a phone, and follows the reader's preference for light or dark."""

from html import escape

STYLE = """\
:root { --bg: #fff; --fg: #1c2024; --soft: #56606b; --line: #d8dde3; --code: #f4f6f8;
  --link: #0b57a4; --good: #1b6b3a; --good-bg: #fff; --warn: #855600; --warn-bg: #fff8e3;
  --bad: #b3261e; --bad-bg: #fdeceb; --other: #4a5590; --other-bg: #f1f3fc; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e3e6e9; --soft: #a0aab4;
  --line: #343b43; --code: #1d2227; --link: #7db7f5; --good: #7fce9a; --good-bg: #14171a;
  --warn: #f2bd4b; --warn-bg: #2b2412; --bad: #ff8f86; --bad-bg: #381b19; --other: #aab6f5;
  --other-bg: #1d2138; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 76rem; background: var(--bg);
  color: var(--fg); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.2rem 0 .5rem; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 2rem 0 .5rem; }
h3 { font-size: 1.05rem; line-height: 1.25; margin: 1.8rem 0 .5rem; }
p, ul, dl { max-width: 60rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
pre { background: var(--code); padding: .6rem .7rem; overflow-x: auto; border-radius: 4px;
  line-height: 1.4; overflow-wrap: normal; margin: .5rem 0; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; }
.table { overflow-x: auto; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.soft, summary { color: var(--soft); }
summary { cursor: pointer; min-height: 1.6rem; }
dt { font-weight: 600; font-size: .85rem; color: var(--soft); } dd { margin: 0 0 .4rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none;
  margin: .6rem 0; }
.counts li { border: 1px solid; border-radius: 1rem; padding: .1rem .7rem; color: var(--soft); }
.counts .good { color: var(--good); } .counts .warn { color: var(--warn); }
.counts .other { color: var(--other); }
.counts .bad { color: var(--bad); background: var(--bad-bg); }
/* A table whose rows are cards on a phone; data-label says what a cell is. */
@media (max-width: 40rem) {
  .cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; border: 0;
    padding: .1rem 0; text-align: left; }
  .cards thead { display: none; }
  .cards tr { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0;
    padding: .4rem .7rem; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
}
"""


def page(title, body, style="", script=""):
    """The whole page; body has its elements, style what only this page needs."""
    scripts = f"<script>\n{script}</script>\n" if script else ""
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{title}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n<body>\n"
            f"{body}{scripts}</body>\n</html>\n")


def counts(items):
    """The figures that matter first; items are (class, text): good, warn, bad, other or none."""
    listed = "".join(f'<li class="{kind}">{escape(text)}</li>\n' for kind, text in items)
    return f'<ul class="counts">\n{listed}</ul>\n'


def facts(pairs):
    """A list of what is what; the pairs are text."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in pairs)
    return f"<dl>\n{listed}</dl>\n"


def folded(summary, inner):
    """A folded part of a page; the summary is text."""
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def listing(lines):
    """Lines as they are."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def table(head, rows, kind=""):
    """A table that may be wider than the screen: head and rows are elements."""
    return (f'<div class="table {kind}">\n<table>\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{rows}</tbody>\n</table>\n</div>\n")
