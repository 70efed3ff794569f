# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The whole specification as one page: no script, nothing loaded from elsewhere."""

import re
from html import escape

from erofs_ishare import pages

from . import obligations, words
from .parse import markdown, plain, strip_code

TITLE = "EROFS inode page-cache sharing"

STYLE = """\
:root { --mark: #fff7d6; }
@media (prefers-color-scheme: dark) { :root { --mark: #3a3415; } }
html { scroll-padding-top: 1rem; }
body { padding: 0; max-width: none; overflow-wrap: break-word; }
main, nav { padding: 0 1rem; max-width: 54rem; margin: 0 auto; }
a { text-decoration: none; }
a:hover { text-decoration: underline; }
h1, h2, h3, h4 { margin: 2rem 0 .6rem; line-height: 1.25; }
h1 { font-size: 1.7rem; }
header h1 { margin-bottom: 0; }
section + section > h1 { border-top: 3px solid var(--line); padding-top: 1.5rem; }
code { background: var(--code); padding: .1em .25em; border-radius: 3px; }
pre code { background: none; padding: 0; font-size: 1em; }
.table { margin: 1rem 0; }
table { width: auto; }
th, td { border-bottom: 1px solid var(--line); }
th { border-bottom-width: 2px; white-space: nowrap; }
.wide td:last-child { min-width: 14rem; }
.error { --severity: var(--bad); } .warning { --severity: var(--warn); }
.note { --severity: var(--good); }
.rule { border: 1px solid var(--line); border-left: 4px solid var(--severity); border-radius: 4px;
  padding: .1rem 1rem .4rem; margin: 1.5rem 0; }
.rule:target { background: var(--mark); }
.rule h3 { margin: .8rem 0 .4rem; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.rule h3 a { color: inherit; }
.badge { display: inline-block; font-size: .78rem; line-height: 1.3; padding: .05rem .5rem;
  border: 1px solid; border-radius: 1rem; margin: 0 .3rem .3rem 0; color: var(--soft); }
.badge.error, .badge.warning, .badge.note { color: var(--severity); }
dl { margin: .6rem 0; }
summary { color: inherit; }
details ul { padding-left: 1.2rem; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line); }
nav ol { padding-left: 1.6rem; }
nav ol ol { list-style: none; padding-left: 1.1rem; font-size: .92em; }
.dense table { font-size: .8em; }
.dense th, .dense td { padding: .25rem .4rem; }
.figures th { vertical-align: bottom; white-space: normal; }
.figures td:not(:first-child, :last-child), .figures th:not(:first-child, :last-child) {
  text-align: right; }
.figures td:last-child { white-space: nowrap; }
.yes { color: var(--good); } .no { color: var(--bad); font-weight: 600; }
@media (max-width: 40rem) { th, td { padding: .25rem .35rem; }
  table { font-size: .82em; } .wide td:last-child { min-width: 10rem; } }
@media (min-width: 76rem) {
  nav { position: fixed; top: 0; left: 0; bottom: 0; width: 20rem; overflow-y: auto;
    border-right: 1px solid var(--line); padding-bottom: 2rem; }
  main { margin-left: 20rem; padding: 0 2.5rem; max-width: 64rem; } }
"""


def page(spec, core, proofs=None):
    """The page; proofs is the report of the proofs, if there is one."""
    body = "".join(Section(spec, chapter).html() for chapter in spec.chapters)
    return pages.page(TITLE, (
        f"{contents(spec, proofs)}<main>\n<header><h1>{TITLE}</h1></header>\n{body}"
        f"{obligation_section(spec, core)}{proof_section(spec, proofs)}</main>\n"), STYLE)


def slug(text):
    """An anchor made from a heading, as forges make it."""
    return re.sub(r"[^\w -]", "", text.lower()).strip().replace(" ", "-")


def anchor(chapter, text):
    """The anchor of a heading that is no rule: the chapter makes it unique."""
    return f"{chapter.name}--{slug(text)}"


def headings(chapter):
    """(level, text) of the chapter's headings."""
    for i, token in enumerate(chapter.tokens):
        if token.type == "heading_open" and token.level == 0:
            yield int(token.tag[1]), plain(chapter.tokens[i + 1])


# ---- table of contents ----

def contents(spec, proofs):
    """Chapters, their sections and rules."""
    items = "".join(f"<li>{subcontents(spec, c)}</li>\n" for c in spec.chapters)
    return (f"<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol>\n{items}"
            "<li><a href=\"#obligations\">What each rule needs</a></li>\n"
            + ("<li><a href=\"#proofs\">What is proved</a></li>\n" if proofs else "")
            + "</ol>\n</nav>\n")


def subcontents(spec, chapter):
    """One chapter, its sections and rules folded up."""
    items = []
    for level, text in headings(chapter):
        if level == 2:
            items.append(f"<li><a href=\"#{anchor(chapter, text)}\">{escape(text)}</a></li>")
        elif level == 3 and spec.rule(text):
            items.append(f"<li><a href=\"#{text}\"><code>{text}</code></a></li>")
    title = f"<a href=\"#{chapter.name}\">{escape(chapter.title)}</a>"
    inner = "\n".join(items)
    return f"<details><summary>{title}</summary>\n<ol>\n{inner}\n</ol>\n</details>"


# ---- chapters ----

class Section:
    """Renders one chapter."""

    def __init__(self, spec, chapter):
        self.spec, self.chapter = spec, chapter
        self.rule = None
        self.renderer = markdown()
        self.renderer.renderer.rules["code_inline"] = self.code_inline
        self.renderer.renderer.rules["link_open"] = self.link_open

    def html(self):
        """The chapter as a section."""
        parts = [f"<section id=\"{self.chapter.name}\">\n"]
        for block in blocks(self.chapter.tokens):
            parts.append(self.block(block))
        parts.append(self.close_rule() + "</section>\n")
        return "".join(parts)

    def block(self, block):
        """One top-level block."""
        first = block[0]
        if first.type == "heading_open":
            return self.heading(first.tag, block[1])
        if first.type == "table_open":
            texts = [t.content for t in block if t.type == "inline"]
            wide = " wide" if "Meaning" in texts else ""
            return f"<div class=\"table{wide}\">\n{self.render(block)}</div>\n"
        if first.type == "fence" and first.info.strip() == "yaml" and self.rule:
            return self.rule_facts(self.rule)
        if first.type == "fence":
            return f"<pre><code>{escape(first.content)}</code></pre>\n"
        if first.type == "html_block" and first.content.lstrip().startswith("<!--"):
            return ""
        return self.render(block)

    def render(self, tokens):
        """Tokens by markdown-it's own rules and ours."""
        return self.renderer.renderer.render(tokens, self.renderer.options, {})

    def heading(self, tag, inline):
        """A heading; that of a rule opens the rule's box."""
        level, text = int(tag[1]), plain(inline)
        before = self.close_rule() if level <= 3 else ""
        rule = self.spec.rule(strip_code(inline.content))
        if level == 3 and rule:
            self.rule = rule
            return before + self.rule_head(rule)
        name = "" if tag == "h1" else f" id=\"{anchor(self.chapter, text)}\""
        return f"{before}<{tag}{name}>{self.inline(inline)}</{tag}>\n"

    def inline(self, token):
        """The inside of a heading or paragraph."""
        return self.renderer.renderer.renderInline(token.children, self.renderer.options, {})

    def rule_head(self, rule):
        """A rule's name and badges."""
        badges = [f"<span class=\"badge {rule.severity}\">{rule.severity}</span>",
                  f"<span class=\"badge\">harm: {rule.harm.replace('-', ' ')}</span>",
                  f"<span class=\"badge\">{rule.subject}</span>"]
        if rule.verdict == "malformed":
            badges.append("<span class=\"badge\">malformed</span>")
        return (f"<article class=\"rule {rule.severity}\" id=\"{rule.name}\">\n"
                f"<h3><a href=\"#{rule.name}\">{rule.name}</a></h3>\n<p>{''.join(badges)}</p>\n")

    def close_rule(self):
        """The end of a rule's box, if one is open."""
        if not self.rule:
            return ""
        self.rule = None
        return "</article>\n"

    def rule_facts(self, rule):
        """The contents of the yaml fence, in words."""
        also = ", ".join(f"<a href=\"#{name}\"><code>{name}</code></a>" for name in rule.also)
        sharing = (rule.sharing or "").replace("-", " ")
        facts = [("What a kernel does", self.text(words.kernel_words(rule))),
                 ("What a violation hides", self.hides(rule)),
                 ("What it does to sharing", self.text(sharing)),
                 ("Where they disagree", self.text(rule.divergence)),
                 ("Unspecified", self.text(rule.unspecified)),
                 ("Established by", self.text("; ".join(rule.established_by))),
                 ("May be reported with it", also)]
        rows = "".join(f"<dt>{title}</dt><dd>{value}</dd>\n" for title, value in facts if value)
        return f"<dl>\n{rows}</dl>\n{self.vectors(rule)}"

    def hides(self, rule):
        """The word, and the reason that the table of words gives."""
        scope = next((s for s in self.spec.scopes if s.name == rule.hides), None)
        return self.text(f"{rule.hides}: {scope.reason}" if scope else rule.hides)

    def text(self, line):
        """A line of Markdown as HTML."""
        return self.renderer.renderInline(line) if line else ""

    def vectors(self, rule):
        """The rule's vectors, folded up."""
        if not rule.vectors:
            return ""
        counts = ", ".join(f"{len(rule.of_kind(kind))} {word}" for kind, word in
                           (("holds", "hold"), ("fails", "fail"), ("either", "either way"))
                           if rule.of_kind(kind))
        items = "".join(f"<li><code>{v.kind}-{v.number}</code> {escape(words.edit_words(v))}"
                        "</li>\n" for v in rule.vectors)
        return f"<details><summary>Vectors: {counts}</summary>\n<ul>\n{items}</ul>\n</details>\n"

    # ---- render rules: called by markdown-it with (tokens, index, options, env) ----

    def code_inline(self, tokens, index, _options, _env):
        """`rule.name` leads to its rule."""
        text = tokens[index].content
        code = f"<code>{escape(text)}</code>"
        return f"<a href=\"#{text}\">{code}</a>" if self.spec.rule(text) else code

    def link_open(self, tokens, index, options, _env):
        """A link to another chapter leads there on this page."""
        token = tokens[index]
        token.attrSet("href", self.target(token.attrGet("href")))
        return self.renderer.renderer.renderToken(tokens, index, options, {})

    def target(self, href):
        """A link's target on this page, if it is there."""
        file, _, fragment = href.partition("#")
        chapter = self.chapter if not file else \
            next((c for c in self.spec.chapters if c.path.endswith("/" + file)), None)
        if not chapter:
            return href
        if not fragment:
            return f"#{chapter.name}"
        rule = next((r for r in self.spec.rules if fragment in (r.name, slug(r.name))), None)
        return f"#{rule.name}" if rule else f"#{chapter.name}--{fragment}"


def blocks(tokens):
    """Top-level blocks, each a list of tokens."""
    block = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


# ---- obligations ----

def obligation_section(spec, core):
    """The table of what each rule needs and has."""
    head = "".join(f"<th>{h}</th>" for h in obligations.HEADER)
    body = "".join(obligation_row(r.cells()) for r in obligations.rows(spec, core))
    return ("<section id=\"obligations\">\n<h1>What each rule needs</h1>\n"
            "<p>A rule about bytes needs a predicate, a function of its name in the core, vectors "
            "that hold and fail, and a stated kernel consequence; an error also says what a "
            "violation hides, and what it does to sharing. A rule about a reader needs the test "
            "that establishes it.</p>\n"
            f"{pages.table(head, body, 'wide dense')}"
            f"<p>{obligations.totals(spec).strip()}.</p>\n</section>\n")


def obligation_row(cells):
    """One rule of the table."""
    name, *rest = cells
    row = "".join(f"<td class=\"{c}\">{c}</td>" if c in ("yes", "no") else f"<td>{escape(c)}</td>"
                  for c in rest)
    return f"<tr><td><a href=\"#{name}\"><code>{name}</code></a></td>{row}</tr>\n"


# ---- proofs ----

PROOF_COLUMNS = ("goals", "qed", "cvc5", "smoke", "seconds")


def proof_section(spec, proofs):
    """The table of what is proved, from the report of the proofs."""
    if not proofs:
        return ""
    totals, versions = proofs["totals"], proofs["versions"]
    rules = [r for r in proofs["rules"] if spec.rule(r["rule"])]
    others = other_functions(proofs)
    assumed = "".join(f"<li>{escape(a)}</li>\n" for a in proofs["assumptions"])
    return ("<section id=\"proofs\">\n<h1>What is proved</h1>\n"
            f"<p>At commit <code>{escape(proofs.get('commit', 'unknown'))}</code>, that the "
            "function of each rule, in the core, decides exactly its predicate, and that all "
            f"others do what their contracts say: {totals['functions']} functions, "
            f"{totals['goals']} goals, all valid ({totals['qed']} by Qed, {totals['cvc5']} by "
            f"cvc5, in {totals['seconds']:.0f} s), and {totals['smoke']} smoke tests passed; for "
            f"{escape(', '.join(proofs['machdeps']))}; with "
            + escape(", ".join(f"{tool} {version}" for tool, version in versions.items()))
            + ". The figures are sums over the machines; smoke tests are for the first.</p>\n<p>It "
              "is assumed that</p>\n"
            f"<ul>\n{assumed}</ul>\n"
            + proof_table("Rule", [(rule_link(r["rule"]), r) for r in rules])
            + "<p>The functions that are no rules: what rules are made of, walks, look-ups, "
              "checksums and summaries.</p>\n"
            + proof_table("File", [(f"<code>{escape(f['file'])}</code>", f) for f in others])
            + "</section>\n")


def other_functions(proofs):
    """The figures of the functions that are no rules, summed over the machines."""
    rules = {(r["file"], r["function"]) for r in proofs["rules"]}
    return [{"file": f["file"], "function": f["function"],
             **{column: sum(figures[column] for figures in f["machdeps"].values())
                for column in PROOF_COLUMNS}}
            for f in proofs["functions"] if (f["file"], f["function"]) not in rules]


def rule_link(name):
    """A rule's name, which leads to it."""
    return f"<a href=\"#{name}\"><code>{name}</code></a>"


def proof_table(first, rows):
    """A table of figures; rows are (what the first column has, figures of a function)."""
    head = "".join(f"<th>{h}</th>" for h in (first, "Goals", "Qed", "cvc5", "Smoke", "Seconds",
                                             "Function"))
    return pages.table(head, "".join(proof_row(*row) for row in rows), "dense figures")


def proof_row(first, figures):
    """One function of a table."""
    cells = "".join(f"<td>{figures[c]:.2f}</td>" if c == "seconds" else f"<td>{figures[c]}</td>"
                    for c in PROOF_COLUMNS)
    return (f"<tr><td>{first}</td>{cells}"
            f"<td><code>{figures['file']}: {figures['function']}()</code></td></tr>\n")
