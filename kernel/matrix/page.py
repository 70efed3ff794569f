# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix as one page: nothing is loaded from elsewhere, and without script it is all there."""

import json
import re
from html import escape

from erofs_ishare import pages, TOP
import hexview
from judge import AGREES, DISAGREES, EXPLAINED, RANK, UNSPECIFIED

TITLE = "EROFS page cache sharing: rules, kernel and tools"
COLUMNS = {"core": "erofs-ishare", "mount": "Kernel: mount", "access": "Kernel: access",
           "sharing": "Kernel: sharing",
           "fsck": "fsck.erofs", "dump": "dump.erofs"}
MARKS = {AGREES: ("✓", "as specified"), UNSPECIFIED: ("?", "not specified"),
         EXPLAINED: ("≈", "explained"),
         DISAGREES: ("✗", "unexplained")}
KINDS = {AGREES: "good", UNSPECIFIED: "other", EXPLAINED: "warn", DISAGREES: "bad"}
FINDING = re.compile(r"kernel/findings/([a-z0-9-]+)")
LEVEL = re.compile(r"^<\d+>", re.M)     # of a message, at its head in the kernel's log
WORST_FIRST = sorted(RANK, key=RANK.get, reverse=True)

STYLE = """\
:root { --ins: #cdeed6; --del: #fbd5d2; }
@media (prefers-color-scheme: dark) { :root { --ins: #1f5132; --del: #6b2723; } }
body { max-width: 96rem; }
h2 { font-size: 1.2rem; }
ins { background: var(--ins); text-decoration: none; font-weight: 700; }
del { background: var(--del); text-decoration: none; font-weight: 700; }
section { scroll-margin-top: 5rem; }
#sweep td { white-space: nowrap; }
.agrees { color: var(--good); } .unspecified { color: var(--other); }
.explained { color: var(--warn); } .disagrees { color: var(--bad); }
form { position: sticky; top: 0; z-index: 1; background: var(--bg); display: flex; flex-wrap: wrap;
  gap: .5rem .8rem;
  align-items: end; padding: .6rem 0; border-bottom: 1px solid var(--line); }
label { display: flex; flex-direction: column; font-size: .8rem; color: var(--soft);
  flex: 1 1 9rem; max-width: 20rem; }
input, select { font: inherit; font-size: 1rem; color: var(--fg); background: var(--bg);
  border: 1px solid var(--soft);
  border-radius: 4px; padding: .3rem .4rem; width: 100%; min-height: 2.4rem; }
output { font-size: .9rem; color: var(--soft); min-width: 7rem; padding-bottom: .5rem; }
table { font-size: .86rem; }
th, td { padding: .3rem .5rem; }
thead th { border-bottom: 2px solid var(--line); }
/* Widths that stay when the filter leaves other rows. */
#matrix { table-layout: fixed; }
#matrix thead th { width: 11%; }
#matrix thead th:nth-child(1) { width: 17%; } #matrix thead th:nth-child(2) { width: 12%; }
#matrix thead th:nth-child(3) { width: 14%; } #matrix thead th:nth-child(7) { width: 13%; }
#matrix tbody { border-bottom: 1px solid var(--line); }
#matrix tr.vector th { font-weight: 600; }
td.unspecified { background: var(--other-bg); }
td.explained { background: var(--warn-bg); } td.disagrees { background: var(--bad-bg); }
td.agrees span.value { color: var(--fg); }
td small { display: block; color: var(--soft); line-height: 1.3; }
.mark { font-weight: 700; margin-right: .3em; }
.more td { padding-top: 0; }
.kind { color: var(--soft); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
[hidden] { display: none !important; }
@media (max-width: 60rem) {
  form { position: static; }
  #matrix, #matrix tbody, #matrix tr, #matrix th, #matrix td { display: block;
    width: auto !important; }
  #matrix thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  #matrix tbody { border: 1px solid var(--line); border-radius: 6px; margin: .7rem 0;
    padding: .3rem 0; }
  #matrix td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
  #sweep .word { display: none; }
  #matrix td.none { display: none; }
  #matrix td.agrees { padding-top: .1rem; padding-bottom: .1rem; }
}
"""

SCRIPT = """\
const form = document.querySelector("form"), rows = [...document.querySelectorAll("#matrix tbody")];
const shown = document.querySelector("output");
function filter() {
  const words = form.text.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const fits = (!form.rule.value || row.dataset.rule === form.rule.value)
      && (!form.verdict.value || form.verdict.value.split(" ").includes(row.dataset.verdict))
      && words.every(w => row.dataset.text.includes(w));
    row.hidden = !fits;
    count += fits;
  }
  shown.textContent = count + " of " + rows.length + " shown";
  document.querySelector("#nothing").hidden = count > 0;
}
form.addEventListener("input", filter);
form.addEventListener("submit", e => e.preventDefault());
form.hidden = false;
filter();
"""


def page(report):
    rows = report["rows"]
    return pages.page(TITLE, (
        f"<header>\n<h1>{TITLE}</h1>\n{introduction(report)}</header>\n<main>\n"
        f"{controls(rows)}{table(rows)}{sweep(report)}{conditions(report)}</main>\n"),
        STYLE, SCRIPT)


def introduction(report):
    """The purpose of the page, and the totals."""
    counts = report["counts"]
    items = [(KINDS[v], f"{MARKS[v][0]} {counts[v]} {MARKS[v][1]}") for v in WORST_FIRST]
    left_out = "" if report["swept"] else ("<p><strong>The field sweep was left out</strong> "
                                           "(<code>SWEEP=no</code>): "
                                           "<code>make report-matrix</code> runs it, too.</p>\n")
    return (f"<p>{len(report['rows'])} images, each made to show one rule or by mkfs.erofs, given "
            f"to erofs-ishare, Linux {escape(report['kernel'] or '?')}, fsck.erofs and dump.erofs, "
            "and compared with the <a href=\"spec/spec.html\">specification</a>.</p>\n"
            f"{pages.counts(items)}{left_out}")


def controls(rows):
    rules = "".join(f"<option>{escape(r)}</option>"
                    for r in sorted({r["rule"] for r in rows if r["rule"]}))
    return ("<form hidden role=\"search\" aria-label=\"Filter\">\n"
            "<label>Words<input name=\"text\" type=\"search\" autocomplete=\"off\"></label>\n"
            "<label>Rule<select name=\"rule\"><option "
            f"value=\"\">all</option>{rules}</select></label>\n"
            "<label>Show<select name=\"verdict\"><option value=\"\">everything</option>"
            f"<option value=\"{DISAGREES}\">unexplained disagreements only</option>"
            f"<option value=\"{DISAGREES} {EXPLAINED}\">all disagreements</option>"
            f"<option value=\"{EXPLAINED}\">explained disagreements</option>"
            f"<option value=\"{UNSPECIFIED}\">what is not specified</option>"
            f"<option value=\"{AGREES}\">what is as specified</option></select></label>\n"
            "<output aria-live=\"polite\"></output>\n</form>\n")


def table(rows):
    """One body for each image: its row, and what can be unfolded. Disagreements first."""
    ordered = sorted(rows, key=lambda r: -RANK[r["verdict"]])
    heads = "".join(f"<th scope=\"col\" role=\"columnheader\">{h}</th>"
                    for h in ("Image", "Rule", *COLUMNS.values()))
    return ("<table id=\"matrix\" role=\"table\">\n"
            "<caption class=\"hidden\">Every image, disagreements first</caption>\n"
            "<thead role=\"rowgroup\"><tr "
            f"role=\"row\">{heads}</tr></thead>\n{''.join(map(body, ordered))}</table>\n"
            "<p id=\"nothing\" hidden>Nothing matches.</p>\n")


def words_of(row):
    """The words that the filter searches."""
    seen = (f"{c['value']} {c['why']}" for c in row["cells"].values())
    return " ".join([row["name"], row["kind"], row["why"], *seen]).lower()


def body(row):
    """The rows of one image."""
    rule = f"<a href=\"spec/spec.html#{row['rule']}\">{row['rule']}</a> " if row["rule"] else "- "
    cells = "".join(cell(column, row["cells"][column]) for column in COLUMNS)
    return (f"<tbody role=\"rowgroup\" data-verdict=\"{row['verdict']}\" "
            f"data-rule=\"{row['rule'] or ''}\" data-text=\"{escape(words_of(row))}\">\n<tr "
            "class=\"vector\" role=\"row\">"
            f"<th scope=\"row\" role=\"rowheader\">{name(row['name'])}</th>"
            f"<td role=\"cell\" data-label=\"Rule\">{rule}<span "
            f"class=\"kind\">{row['kind']}</span></td>{cells}</tr>\n"
            "<tr class=\"more\" role=\"row\"><td role=\"cell\" "
            f"colspan=\"{len(COLUMNS) + 2}\">{more(row)}</td></tr>\n"
            "</tbody>\n")


def name(text):
    """A vector's name breaks behind its rule."""
    rule, slash, number = text.rpartition("/")
    return f"{escape(rule)}{slash}<wbr><span class=\"number\">{escape(number)}</span>"


def cell(column, judged):
    """The cell for one column."""
    verdict = judged["verdict"]
    if judged["value"] == "-":
        return f"<td role=\"cell\" class=\"cell none\" data-label=\"{COLUMNS[column]}\">-</td>"
    mark, meaning = MARKS[verdict]
    why = FINDING.sub(r'<a href="../\g<0>/README.md">\g<1></a>', escape(judged["why"]))
    left_open = "left open: " if verdict == UNSPECIFIED else ""
    why = f"<small>{left_open}{why}</small>" if why else ""
    mark = f"<span class=\"mark\" aria-label=\"{meaning}\" role=\"img\">{mark}</span>"
    return (f"<td role=\"cell\" class=\"cell {verdict}\" data-label=\"{COLUMNS[column]}\">{mark}"
            f"<span class=\"value\">{escape(judged['value'])}</span>{why}</td>")


def more(row):
    """The edits and all output, folded up."""
    facts = []
    if row["base"]:
        with (open(f"{TOP}/{row['base']}", "rb") as before,
              open(f"{TOP}/{row['file']}", "rb") as after):
            facts.append(f"<p>Edited from <code>{escape(row['base'])}</code>: "
                         f"<code>{escape(edit_words(row['edits']))}"
                         "</code></p>\n"
                         + hexview.view(before.read(), after.read()))
    said = [("The kernel got a padded copy, of which erofs-ishare says", row["mounted"]),
            ("Errors that the kernel returned", errors(row["kernel"])),
            ("Kernel log",
             LEVEL.sub("", row["kernel"].get("alarm") or row["kernel"].get("log") or "")),
            ("End of the guest", row["kernel"].get("tail")),
            ("fsck.erofs", row["fsck"]["said"]),
            ("dump.erofs", row["dump"]["said"] if row["dump"]["value"] != "passes" else None)]
    facts += [f"<p>{title}:</p><pre class=\"wrap\">{escape(text)}</pre>"
              for title, text in said if text]
    if row["words"]:
        told = "".join(f"<dt><a href=\"spec/spec.html#{rule}\">{rule}</a></dt><dd>{escape(text)}</dd>\n"
                       for rule, text in row["words"].items())
        facts.insert(0, "<p>What the specification says on kernels and "
                        f"tools:</p>\n<dl>\n{told}</dl>\n")
    summary = row["why"] or "what was edited, and what was seen"
    return pages.folded(summary, "\n" + ("".join(facts) or "<p>Nothing was said.</p>"))


def edit_words(edits):
    """Numbers as one would look for them among bytes."""
    words = (f"{k}: {hex(v) if isinstance(v, int) and v > 9 else json.dumps(v, ensure_ascii=False)}"
             for k, v in edits.items())
    return "; ".join(words) or "nothing"


def errors(kernel):
    """One line each."""
    return "\n".join(f"{path or '/'}: {what}{' ' + detail if detail else ''}: {error}"
                     for path, what, detail, error in kernel.get("errors", []))


def sweep(report):
    """The field sweep, by field."""
    swept = report["sweep"]
    if not swept:
        return ""
    order = (AGREES, UNSPECIFIED, EXPLAINED, DISAGREES)
    rows = "".join(sweep_row(f, order)
                   for f in sorted(swept["fields"], key=lambda f: [-f[v] for v in WORST_FIRST]))
    told = "".join(f"<li><code>{escape(d['name'])}</code> ({escape(d['core'])}): "
                   f"{sweep_words(d)}</li>\n"
                   for d in swept["told"][:100])
    told = f"<p>Unexplained, or the end of a guest:</p>\n<ul>\n{told}</ul>\n" if told else ""
    number = report["sweep_counts"]
    heads = "".join(f"<th scope=\"col\" class=\"{v}\"><span role=\"img\" "
                    f"aria-label=\"{MARKS[v][1]}\">"
                    f"{MARKS[v][0]}</span>"
                    f" <span class=\"word\">{MARKS[v][1]}</span></th>" for v in order)
    result = ", ".join(f"{number[v]} {MARKS[v][1]}" for v in order)
    part = ", a sample of all" if report.get("sampled") else ""
    return ("<section id=\"sweep\">\n<h2>The field sweep</h2>\n<p>Each field of each structure in "
            f"each base image, given other values: {sum(number.values())} images{part}, judged by "
            f"erofs-ishare and the kernel. {result}.</p>\n"
            f"{told}<details><summary>Field by field</summary>\n<table>\n"
            "<thead><tr><th "
            f"scope=\"col\">Field</th>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
            "</details>\n</section>\n")


def sweep_row(field, order):
    """One field, and how many of its changes have each verdict."""
    numbers = "".join(f"<td class=\"{v if field[v] else AGREES}\">{field[v]}</td>" for v in order)
    return f"<tr><th scope=\"row\">{escape(field['field']).replace('.', '.<wbr>')}</th>{numbers}</tr>\n"


def sweep_words(row):
    """Describes the results that are not as specified."""
    return escape("; ".join(f"{COLUMNS[c]}: {j['value']}: {j['why']}"
                            for c, j in row["cells"].items()
                            if j["verdict"] in (EXPLAINED, DISAGREES)))


def conditions(report):
    """How it was done."""
    rates = "".join(f"<li>{escape(what)}: {r['images']} images, {r['guests']} guests, "
                    f"{r['seconds']} s. A program in user space mounts, walks, reads and unmounts "
                    f"{r['mounts_per_second']} images a second, not counting starts of guests; the "
                    "KUnit suites, inside the kernel, have their own rate.</li>\n"
                    for what, r in report["rates"].items())
    facts = [("Kernel", f"Linux {report['kernel']} in User-Mode Linux, pages of 4096 bytes"),
             *((k.replace("_", " "), str(v)) for k, v in report["guest"].items()),
             *report["tools"].items()]
    return ("<section id=\"conditions\">\n<h2>How it was done</h2>\n<ul>\n"
            "<li>The kernel mounts files, not block devices. There it cannot read metadata in a "
            "last page that the file fills only in part, so images and devices are padded with "
            "zeros to a multiple of 4096 bytes for it; block devices read as zeros there, too. "
            "erofs-ishare checks the padded copy as well, and the kernel is compared with that "
            "verdict; fsck.erofs and dump.erofs get the image as it is.</li>\n"
            "<li>Each image is mounted alone, walked, its xattrs and the beginning and end of its "
            "files read; then twice with <code>inode_share</code> in one domain: a page that is "
            "read through one mount and is in memory for the other is shared. Names of xattrs that "
            "the VFS itself refuses are not tried.</li>\n"
            "<li>The rules that erofs-ishare reports list the errors that a kernel must return, "
            "under <code>mount</code>, <code>mount-may</code> and <code>access</code>. Every other "
            "result needs a line in <code>kernel/matrix/known.tsv</code> to be explained. What "
            "the specification leaves open (compression, POSIX ACLs, vectors of the kind "
            "<code>either</code>, and what erofs-ishare could not examine) is not specified: no "
            "result is wrong. How many results are, and why, is written down in "
            "<code>kernel/matrix/unspecified.tsv</code>; another number is an error.</li>\n"
            "<li>fsck.erofs should refuse images that violate a rule of severity error, and accept "
            "the others; it verifies digests if the image has any. dump.erofs must not "
            "crash; its output is not compared.</li>\n"
            f"{rates}</ul>\n{pages.facts(facts)}</section>\n")
