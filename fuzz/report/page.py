# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The report as one page: no script, nothing loaded from elsewhere."""

import time
from html import escape

from erofs_ishare.campaigns import plural
from charts import SERIES, chart

TITLE = "Fuzz campaigns"

STYLE = """\
:root { --bg: #fff; --fg: #1c2024; --soft: #56606b; --line: #d8dde3; --code: #f4f6f8;
  --link: #0b57a4;
  --good: #1b6b3a; --bad: #b3261e; --bad-bg: #fdeceb; --bar: #9cc5ab; --series1: #0b57a4;
  --series2: #b3541e;
  --series3: #1b6b3a; --series4: #7a3e9d; --series5: #8a6d00; --series6: #b3266e;
  --series7: #00707a; --series8: #56606b; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e3e6e9; --soft: #a0aab4;
  --line: #343b43;
  --code: #1d2227; --link: #7db7f5; --good: #7fce9a; --bad: #ff8f86; --bad-bg: #381b19;
  --bar: #2f6b45;
  --series1: #7db7f5; --series2: #f2a36b; --series3: #7fce9a; --series4: #c79be6;
  --series5: #e3c55b;
  --series6: #f28bbd; --series7: #6fcfd8; --series8: #a0aab4; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 76rem; background: var(--bg);
  color: var(--fg);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.2rem 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .3rem; padding-top: 1rem;
  border-top: 3px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; }
p, ul, dl { max-width: 60rem; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
pre { background: var(--code); padding: .6rem .7rem; overflow-x: auto; border-radius: 4px;
  line-height: 1.4;
  overflow-wrap: normal; margin: .5rem 0; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none;
  margin: .6rem 0; }
.counts li { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .7rem;
  color: var(--soft); }
.counts .good { color: var(--good); border-color: currentColor; }
.counts .bad { color: var(--bad); border-color: currentColor; background: var(--bad-bg); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid var(--line); }
thead th { border-bottom-width: 2px; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.key { display: inline-block; width: 1.2em; height: 0; border-top: 3px solid;
  margin: 0 .5em .25em 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem 2rem;
  margin: 1rem 0; }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: .9rem; }
figure svg { display: block; width: 100%; height: auto; max-width: 36rem; font-family: system-ui,
  sans-serif; }
.bar { display: block; height: .7rem; min-width: 5rem; background: var(--code); border-radius: 2px;
  margin-top: .35rem; }
.bar i { display: block; height: 100%; background: var(--bar); border-radius: 2px; }
.crash { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 4px;
  padding: .1rem 1rem .6rem;
  margin: 1rem 0; }
.crash h4 { margin: .7rem 0 .3rem; font-size: 1rem; }
.soft, summary { color: var(--soft); }
summary { cursor: pointer; min-height: 1.6rem; }
dt { font-weight: 600; font-size: .85rem; color: var(--soft); } dd { margin: 0 0 .4rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
@media (max-width: 40rem) {
  .cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; border: 0;
    padding: .1rem 0; text-align: left; }
  .cards thead { display: none; }
  .cards tr { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0;
    padding: .4rem .7rem; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
}
"""


def duration(seconds):
    """2 d 3 h, 1 h 5 min, 40 s"""
    for size, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"),
                                          (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{seconds} s"


def percent(part, whole):
    """Never 100 % if something is missing."""
    if not whole:
        return "-"
    return f"{100 * part // whole if part == whole else int(1000 * part / whole) / 10} %"


def page(report):
    body = "".join(section(t) for t in report["targets"])
    changed = ", with changes that are not committed" if report["tree_changed"] else ""
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            f"<title>{TITLE}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{TITLE}</h1>\n"
            "<p>What AFL++ tried against "
            f"{' and against '.join(escape(t['what']) for t in report['targets'])}, "
            "and what it found.</p>\n"
            f"<p class=\"soft\">Made {escape(report['made'])} from "
            f"<code>{escape(report['commit'])}</code>{changed}. "
            "<a href=\"report.json\">The same as JSON</a>.</p>\n"
            f"</header>\n<main>\n{body}</main>\n</body>\n</html>\n")


def section(target):
    """One target."""
    return (f"<section id=\"{escape(target['name'])}\">\n<h2>{escape(target['name'])}</h2>\n"
            f"<p>{escape(target['what'][0].upper() + target['what'][1:])}.</p>\n"
            f"{counts(target)}{crashes(target)}{instances(target)}{charts(target)}{coverage(target)}"
            f"{circumstances(target)}</section>\n")


def counts(target):
    """The figures that matter first."""
    found = sum(c["kind"] == "crash" for c in target["crashes"])
    hangs = len(target["crashes"]) - found
    execs = sum(i["execs"] for i in target["instances"])
    cover = target["coverage"]
    items = [("bad" if found else "good", plural(found, "crash", "different crashes")),
             ("bad" if hangs else "good", plural(hangs, "hang", "different hangs")),
             ("", f"{execs:,} execs"), ("", f"{target['corpus']:,} inputs in the corpus"),
             ("",
              f"{duration(sum((s['end'] or s['start']) - s['start'] for s in target['sessions']))} long")]
    if cover and cover.get("lines"):
        items.append(("", f"{percent(cover['reached'], cover['lines'])} of {cover['lines']:,} "
                          "lines reached"))
    return ("<ul class=\"counts\">\n" + "".join(f"<li class=\"{c}\">{escape(text)}</li>\n"
                                                for c, text in items)
            + "</ul>\n")


# ---- Crashes ----

def crashes(target):
    """Each with what repeats it."""
    text = "".join(crash(c) for c in target["crashes"]) or "<p>No input fails.</p>\n"
    if target["not_repeated"]:
        text += (f"<details><summary>{plural(len(target['not_repeated']), 'input', 'inputs')} made "
                 "the target fail during "
                 "the campaign, but not when run again</summary>\n"
                 f"<pre>{escape(chr(10).join(target['not_repeated']))}</pre></details>\n")
    return f"<h3>Crashes</h3>\n{text}"


def crash(entry):
    """One signature."""
    size = f"{entry['smallest_size']:,} bytes"
    if entry["smallest_size"] < entry["size"]:
        size += f", made from {entry['size']:,}"
    if not entry["repeats"]:
        size += "; it did not happen again when replayed"
    stack = f"<pre>{escape(chr(10).join(entry['stack']))}</pre>\n" if entry["stack"] else ""
    return (f"<article class=\"crash\" id=\"{entry['id']}\">\n<h4>{escape(entry['title'])}</h4>\n"
            f"<pre class=\"wrap\">{escape(entry['replay'])}</pre>\n"
            f"<p class=\"soft\">{plural(len(entry['inputs']), 'input', 'inputs')} like this; the "
            f"smallest has {size}.</p>\n"
            f"{stack}"
            "<details><summary>What it "
            f"says</summary>\n<pre>{escape(chr(10).join(entry['said']))}</pre></details>\n"
            "<details><summary>All "
            f"inputs</summary>\n<pre>{escape(chr(10).join(entry['inputs']))}</pre></details>\n"
            "</article>\n")


# ---- Instances ----

COLUMNS = (("execs", "Execs"), ("execs_per_second", "Execs/s"), ("paths", "Paths"),
           ("edges", "Edges"),
           ("map_percent", "Of the map, %"), ("cycles", "Cycles"),
           ("stability_percent", "Stability, %"))


def instances(target):
    """A table, which is the key to the plots' colours, too."""
    head = "".join(f"<th scope=\"col\" class=\"number\">{title}</th>" for _, title in COLUMNS)
    rows = ""
    for i, one in enumerate(target["instances"]):
        cells = "".join(f"<td class=\"number\" data-label=\"{title}\">{one[key]:,}</td>"
                        for key, title in COLUMNS)
        rows += ("<tr><th scope=\"row\"><span class=\"key\" style=\"color: "
                 f"var(--series{i % len(SERIES) + 1})\"></span>"
                 f"{escape(one['name'])}</th><td class=\"number\" "
                 f"data-label=\"Time\">{duration(one['seconds'])}</td>"
                 f"{cells}</tr>\n")
    return ("<h3>Instances</h3>\n<div class=\"table\">\n<table class=\"cards\">\n<thead><tr><th "
            "scope=\"col\">Instance</th>"
            "<th scope=\"col\" "
            f"class=\"number\">Time</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n")


def charts(target):
    """Over time, a line for each instance."""
    plots = (("execs", "Execs", 1), ("speed", "Execs/s", 4), ("paths", "Paths in the corpus", 2),
             ("edges", "Coverage: edges", 3))
    text = ""
    for name, title, column in plots:
        lines = [(i["name"], [(p[0], p[column]) for p in i["series"]]) for i in target["instances"]]
        text += (f"<figure>\n<figcaption>{title}</figcaption>\n"
                 f"{chart(target['name'] + '-' + name, escape(title), lines)}</figure>\n")
    return f"<div class=\"charts\">\n{text}</div>\n"


# ---- Coverage ----

def coverage(target):
    """Line coverage by file."""
    cover = target["coverage"]
    if cover is None:
        return ""
    if "missing" in cover:
        return f"<h3>Lines reached</h3>\n<p>Not known: {escape(cover['missing'])}</p>\n"
    rows = "".join(coverage_row(f) for f in cover["files"])
    return ("<h3>Lines reached by the corpus</h3>\n<table class=\"cards\">\n<thead><tr><th "
            "scope=\"col\">File</th>"
            "<th scope=\"col\" class=\"number\">Lines</th><th scope=\"col\" "
            "class=\"number\">Reached</th>"
            "<th scope=\"col\">Not reached</th></tr></thead>\n"
            f"<tbody>\n{rows}</tbody>\n</table>\n")


def coverage_row(entry):
    """One file; the lines that are not reached on demand."""
    share = 100 * entry["reached"] / entry["lines"]
    missing = entry["lines"] - entry["reached"]
    more = f"<details><summary>{plural(missing, 'line', 'lines')}</summary>{escape(entry['not_reached'])}</details>" \
        if missing else "<span class=\"soft\">none</span>"
    return (f"<tr><th scope=\"row\">{escape(entry['file'])}<span class=\"bar\"><i style=\"width: "
            f"{share:.1f}%\"></i></span></th>"
            f"<td class=\"number\" data-label=\"Lines\">{entry['lines']}</td>"
            "<td class=\"number\" "
            f"data-label=\"Reached\">{percent(entry['reached'], entry['lines'])}</td>"
            f"<td data-label=\"Not reached\">{more}</td></tr>\n")


# ---- Circumstances ----

def circumstances(target):
    """When, where, and by which commands."""
    rows = ""
    for session in target["sessions"]:
        start = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(session["start"]))
        length = duration(session["end"] - session["start"]) if session["end"] else "not known"
        m = session["machine"]
        rows += (f"<dt>{start}, {length}: {escape(session['outcome'])}</dt>\n"
                 f"<dd>{escape(', '.join(session['jobs']))} on {m['cpus']} CPUs "
                 f"({escape(m['cpu'])}), Linux "
                 f"{escape(m['kernel'])}, AFL++ {escape(m['afl'])}; "
                 f"<code>{escape(session['commit'])}</code></dd>\n")
    commands = "\n".join(i["command"] for i in target["instances"])
    return (f"<h3>Circumstances</h3>\n<dl>\n{rows}</dl>\n"
            f"<details><summary>Commands</summary>\n<pre>{escape(commands)}</pre></details>\n")
