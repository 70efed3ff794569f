# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Reads chapters: Markdown tokens in, a Spec out, errors with file and line."""

import os
import re

from markdown_it import MarkdownIt

from erofs_ishare.files import read

from . import checks, yaml_lines
from .model import (Chapter, Conformance, Constant, Declaration, Errors, Fence, Field,
                    HIDES_NOTHING, INTEGER_WIDTHS, Judging, Place, Rule, Scope, Spec, Struct)
from .rule_yaml import RuleYaml

FIELD_HEADER = ["Offset", "Size", "Type", "Name", "Meaning"]
CONSTANT_HEADER = ["Name", "Value", "Meaning"]
SCOPE_HEADER = ["Hides", "Rules", "Reason"]
JUDGED_HEADER = ["Rules", "Judged if"]
HEADERS = (FIELD_HEADER, CONSTANT_HEADER, SCOPE_HEADER, JUDGED_HEADER)
RULE_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*")
LEFT_OUT = re.compile(rf"({RULE_NAME.pattern}): \S.*")
STRUCT_HEADING = re.compile(r"struct ([a-z][a-z0-9_]*)")
FIELD_NAME = re.compile(r"[a-z_][a-z0-9_]*")
SCOPE_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
PATTERN = re.compile(r"`([a-z0-9.*-]+)`")
CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
ARRAY_TYPE = re.compile(r"u8\[([1-9]\d*)\]")
# No leading 0: that is octal to C, and an error to Python.
NUMERAL = r"(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)"
SIZE_LINE = re.compile(rf"\bSize: ({NUMERAL}) bytes\b")
KEYWORD = re.compile(r"\b(MUST|REQUIRED|SHALL|SHOULD|RECOMMENDED|MAY|OPTIONAL)\b")
NUMBER = re.compile(NUMERAL)
SHIFT = re.compile(rf"({NUMERAL}) ?<< ?(\d{{1,2}})")
DEFINITION = re.compile(r"\b(?:predicate|inductive|axiomatic|lemma|axiom|type|"
                        r"logic\s+(?:struct\s+)?\w+\s*\**)\s+\**(\w+)")

# A structure in C as the core may have it: numbers of at least 32 bits, and other structures.
COMMENT = r"/\*(?:(?!\*/).)*\*/"
MEMBER = (r"\t(?:uint32_t |uint64_t |size_t |struct ishare_\w+ |const struct ishare_\w+ \*)\w+;"
          rf"(?: {COMMENT})?\n")
DECLARATION = re.compile(rf"(?:{COMMENT}\n)?struct ishare_([a-z][a-z0-9_]*) \{{\n(?:{MEMBER})+\}};\n",
                         re.DOTALL)


def markdown():
    """The dialect: CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table")


def parse(paths):
    """Read all chapters; returns (Spec, Errors)."""
    spec, errors = Spec(), Errors()
    for path in paths:
        Reader(spec, errors, path, read(path)).read()
    checks.check(spec, errors)
    return spec, errors


def plain(inline):
    """The words of an inline token (or of raw Markdown) without the markup, on one line."""
    if isinstance(inline, str):
        inline = markdown().parseInline(inline)[0]
    words = []
    for token in inline.children or []:
        if token.type in ("softbreak", "hardbreak"):
            words.append(" ")
        else:
            words.append(token.content)
    return " ".join("".join(words).split())


def patterns_in(cell):
    """The patterns of rule names that a cell lists, none if that is not all it has."""
    patterns = PATTERN.findall(cell)
    return patterns if ", ".join(f"`{p}`" for p in patterns) == cell.strip() else []


def strip_code(cell):
    """A table cell or heading without its backticks."""
    cell = cell.strip()
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == "`" else cell


class Reader:
    """Reads one chapter into the spec."""

    def __init__(self, spec, errors, path, text):
        self.spec, self.errors, self.path = spec, errors, path
        self.lines = text.split("\n")
        self.tokens = markdown().parse(text)
        self.name = re.sub(r"^\d+-|\.md$", "", os.path.basename(path))
        self.struct = None  # while inside `## struct NAME`
        self.rule = None    # while inside `### rule.name`
        self.conformance = None  # while inside `## Conformance`
        self.judging = None      # while inside `## Judging`

    def place(self, line):
        """`line` counts from 0, as markdown-it does."""
        return Place(self.path, line + 1)

    def error(self, line, message):
        """Complain about a line of this chapter."""
        self.errors.add(self.place(line), message)

    def read(self):
        """Walk the blocks of the chapter, top level only."""
        title = self.name
        for i, token in enumerate(self.tokens):
            if token.level != 0:
                continue
            if token.type == "heading_open":
                if token.tag == "h1" and title == self.name:
                    title = plain(self.tokens[i + 1])
                self.heading(token, strip_code(self.tokens[i + 1].content))
            elif token.type == "paragraph_open":
                self.paragraph(token, self.tokens[i + 1])
            elif token.type == "table_open":
                self.table(token, self.tokens[i:])
            elif token.type in ("fence", "code_block"):
                self.fence(token)
            elif token.nesting == 1:
                self.other(token, self.tokens[i:])
        self.end_rule()
        self.spec.chapters.append(Chapter(self.path, self.name, title, self.tokens))

    # ---- headings ----

    def heading(self, token, text):
        """A heading ends what was open, and may open a structure or a rule."""
        level, line = int(token.tag[1]), token.map[0]
        if level <= 3:
            self.end_rule()
        if level <= 2:
            self.struct = self.conformance = self.judging = None
        if RULE_NAME.fullmatch(text):
            if level == 3:
                self.rule = OpenRule(Rule(self.place(line), text, self.name))
                self.spec.rules.append(self.rule.rule)
            else:
                self.error(line, f"rule {text} needs a heading of level 3 (###)")
        elif level == 3 and "." in text and " " not in text:
            self.error(line, f"{text} is not a rule name (group.rule-name)")
        elif text.startswith("struct "):
            self.struct_heading(level, line, text)
        elif text == "Conformance" and level == 2:
            self.conformance = Conformance(self.place(line), self.name)
            self.spec.conformances.append(self.conformance)
        elif text == "Judging" and level == 2:
            self.judging = Judging(self.place(line), self.name)
            self.spec.judgings.append(self.judging)

    def struct_heading(self, level, line, text):
        """`## struct NAME` opens a structure."""
        match = STRUCT_HEADING.fullmatch(text)
        if level != 2:
            self.error(line, f"{text} needs a heading of level 2 (##)")
        elif not match:
            self.error(line, f"{text[7:]} is not a structure name")
        else:
            self.struct = Struct(self.place(line), match.group(1))
            self.spec.structs.append(self.struct)

    # ---- prose ----

    def paragraph(self, token, inline):
        """A paragraph is normative directly below a rule's heading; it may state a size."""
        line = token.map[0]
        if inline.content.lstrip().startswith("|"):
            self.error(line, "unreadable table: no separator row below the header")
        if self.rule:
            self.rule_prose(line, plain(inline))
        elif self.struct:
            size = SIZE_LINE.search(plain(inline))
            if size and self.struct.size is not None:
                self.error(line, f"struct {self.struct.name} states its size twice")
            elif size:
                self.struct.size = int(size.group(1), 0)

    def other(self, token, tokens):
        """A list or a quote: what conformance leaves out; else prose, and as such in the wrong
        place inside a rule's head."""
        inlines, inner = [], 0
        for t in tokens:
            inner += t.nesting
            if t.type == "inline":
                inlines.append(t)
            if inner == 0:
                break
        if not self.rule:
            if self.conformance and token.type == "bullet_list_open":
                self.left_out(inlines)
        elif self.rule.seen_yaml:
            bullet = "- " if token.type.endswith("list_open") else ""
            self.rule.rule.prose += [bullet + plain(t) for t in inlines]
        else:
            self.error(token.map[0], f"rule {self.rule.rule.name}: only its normative paragraph "
                       "may stand between heading and yaml fence")

    def left_out(self, items):
        """Rules that conformance leaves out, each with the reason."""
        for item in items:
            match = LEFT_OUT.fullmatch(plain(item))
            if match:
                self.conformance.left_out.append((self.place(item.map[0]), match.group(1)))
            else:
                self.error(item.map[0], "unreadable list of conformance: must be "
                           "`- RULE: reason`")

    def rule_prose(self, line, text):
        """The one normative paragraph, or the free prose after the yaml fence."""
        rule = self.rule.rule
        if self.rule.seen_yaml:
            rule.prose.append(text)
        elif rule.requirement is None and not self.rule.seen_acsl:
            rule.requirement = text
            if not KEYWORD.search(text):
                self.error(line, f"rule {rule.name}: its normative paragraph has no RFC 2119 word "
                           "(MUST, SHOULD, MAY, ...)")
        else:
            self.error(line, f"rule {rule.name}: only its normative paragraph may stand between "
                       "heading and yaml fence")

    # ---- tables ----

    def table(self, token, tokens):
        """Tables of fields, constants, scopes and judging; other tables are prose."""
        rows = list(table_rows(tokens))
        header = [strip_code(c) for c in rows[0][1]]
        if header == FIELD_HEADER:
            self.field_table(token.map[0], rows[1:])
        elif header == CONSTANT_HEADER:
            self.constant_table(rows[1:])
        elif header == SCOPE_HEADER:
            self.scope_table(rows[1:])
        elif header == JUDGED_HEADER:
            self.judged_table(token.map[0], rows[1:])
        elif sorted(header) in map(sorted, HEADERS):
            self.error(token.map[0], "unreadable table: columns must be "
                       + " or ".join("| " + " | ".join(h) + " |" for h in HEADERS))

    def whole_row(self, line, cells):
        """Markdown drops and invents cells without a word: count them in the source."""
        source = self.lines[line].strip()
        count = len(re.findall(r"(?<!\\)\|", source))
        count += (not source.startswith("|")) + (not source.endswith("|")) - 1
        if count != len(cells):
            self.error(line, f"unreadable table row: {count} cells, not {len(cells)}")
        return count == len(cells)

    def field_table(self, line, rows):
        """The field table of the structure that is open."""
        if not self.struct:
            self.error(line, "field table outside a `## struct NAME` section")
            return
        if self.struct.fields:
            self.error(line, f"struct {self.struct.name} has two field tables")
            return
        for row_line, cells in rows:
            if self.whole_row(row_line, cells):
                self.field_row(row_line, cells)

    def field_row(self, line, cells):
        """One field."""
        offset, size, kind, name, meaning = [strip_code(c) for c in cells]
        array = ARRAY_TYPE.fullmatch(kind)
        width = int(array.group(1)) if array else INTEGER_WIDTHS.get(kind)
        if not width:
            self.error(line, f"unreadable table row: {kind} is not a type "
                       "(u8, le16, le32, le64, u8[N])")
        elif not NUMBER.fullmatch(offset) or not NUMBER.fullmatch(size):
            self.error(line, "unreadable table row: offset and size must be numbers")
        elif not FIELD_NAME.fullmatch(name):
            self.error(line, f"unreadable table row: {name or 'nothing'} is not a field name")
        elif int(size, 0) != width:
            self.error(line, f"field {name} has size {size}, but {kind} has {width}")
        else:
            self.struct.fields.append(Field(self.place(line), name, int(offset, 0), kind, width,
                                            bool(array), plain(meaning)))

    def constant_table(self, rows):
        """A table of constants; it may stand anywhere."""
        for line, cells in rows:
            if not self.whole_row(line, cells):
                continue
            name, value, meaning = [strip_code(c) for c in cells]
            if not CONSTANT_NAME.fullmatch(name):
                self.error(line, f"unreadable table row: {name or 'nothing'} is not a constant "
                           "name")
                continue
            number, literal = constant_value(value)
            if literal is None:
                self.error(line, f"unreadable table row: {value or 'nothing'} is not a value "
                           "(decimal, hexadecimal, `1 << N` or \"text\")")
                continue
            self.spec.constants.append(Constant(self.place(line), name, number, literal,
                                                plain(meaning)))

    def scope_table(self, rows):
        """A table of scopes: words for what a violation hides."""
        for line, cells in rows:
            if not self.whole_row(line, cells):
                continue
            name, reason = strip_code(cells[0]), plain(cells[2])
            patterns = patterns_in(cells[1])
            if not SCOPE_NAME.fullmatch(name) or name == HIDES_NOTHING:
                self.error(line, f"unreadable table row: {name or 'nothing'} is not a scope name")
            elif not patterns:
                self.error(line, "unreadable table row: rules must be patterns of rule names "
                           "(`inode.*`, `dir.name`)")
            else:
                self.spec.scopes.append(Scope(self.place(line), name, patterns, reason))

    def judged_table(self, line, rows):
        """When the rules of the chapter are judged."""
        if not self.judging:
            self.error(line, "table of when rules are judged outside a `## Judging` section")
            return
        for row_line, cells in rows:
            if not self.whole_row(row_line, cells):
                continue
            patterns, condition = patterns_in(cells[0]), cells[1].strip()
            if not patterns:
                self.error(row_line, "unreadable table row: rules must be patterns of rule names "
                           "(`inode.*`, `dir.name`)")
            elif condition != "always" and strip_code(condition) == condition:
                self.error(row_line, "unreadable table row: rules are judged `always`, without "
                           "backticks, or if a predicate in backticks holds")
            else:
                self.judging.rows.append((self.place(row_line), patterns, "" if condition ==
                                          "always" else strip_code(condition)))

    # ---- fences ----

    def fence(self, token):
        """acsl, c and yaml fences are the spec's; all others are prose."""
        language = token.info.strip()
        if language == "acsl":
            self.acsl(token)
        elif language == "c":
            self.c(token)
        elif language == "yaml":
            self.yaml(token)
        elif self.rule and self.rule.seen_yaml:
            self.rule.rule.prose.append(token.content)
        elif self.rule:
            self.error(token.map[0], f"rule {self.rule.rule.name}: only acsl and yaml fences may "
                       "stand between heading and yaml fence")

    def acsl(self, token):
        """Note the definitions; inside a rule one of them must be the rule's predicate."""
        line = token.map[0]
        if "*/" in token.content:
            self.error(line + 1 + token.content[:token.content.index("*/")].count("\n"),
                       "acsl fence contains */")
        fence = Fence(self.place(line), token.content, [])
        code = fence.code
        for match in DEFINITION.finditer(code):
            at_line = line + 1 + code[:match.start(1)].count("\n")
            fence.names.append((self.place(at_line), match.group(1)))
        if not fence.names:
            self.error(line, "acsl fence defines nothing")
        self.spec.fences.append(fence)
        if self.conformance:
            self.conformance.fences.append(fence)
        if self.rule:
            self.rule.seen_acsl = True
            wanted = self.rule.rule.identifier
            if re.search(rf"\bpredicate\s+{wanted}\b", code):
                self.rule.rule.predicate = fence

    def c(self, token):
        """Structures, an empty line between two of them."""
        line, end = token.map[0], 0
        if self.rule:
            self.error(line, f"rule {self.rule.rule.name}: structures belong before the rules")
        while match := DECLARATION.match(token.content, end):
            at_line = line + 1 + token.content[:match.start()].count("\n")
            self.spec.declarations.append(Declaration(self.place(at_line), match.group(1),
                                                      match.group()))
            end = match.end() + token.content.startswith("\n", match.end())
        if not end or end < len(token.content):
            self.error(line + 1 + token.content[:end].count("\n"),
                       "c fence has more than structures (`struct ishare_NAME`) of numbers and "
                       "structures")

    def yaml(self, token):
        """The rest of a rule."""
        line = token.map[0]
        if not self.rule:
            self.error(line, "yaml fence outside a rule")
            return
        rule = self.rule.rule
        if self.rule.seen_yaml:
            self.error(line, f"rule {rule.name} has two yaml fences")
            return
        self.rule.seen_yaml = True
        data = yaml_lines.load(line + 1, token.content, self.error)
        if isinstance(data, yaml_lines.Map):
            rule.yaml_place = self.place(line)
            RuleYaml(rule, data, self.place, self.error).read()
        elif data is not None:
            self.error(line, f"rule {rule.name}: its yaml fence is not a map")

    def end_rule(self):
        """Complain about what an ended rule lacks of its form."""
        if not self.rule:
            return
        rule, line = self.rule.rule, self.rule.rule.place.line - 1
        if rule.requirement is None:
            self.error(line, f"rule {rule.name} has no normative paragraph below its heading")
        if not self.rule.seen_yaml and rule.predicate is None:
            self.error(line, f"rule {rule.name} has no acsl fence with predicate "
                       f"{rule.identifier} (a rule about readers needs none)")
        if not self.rule.seen_yaml:
            self.error(line, f"rule {rule.name} has no yaml fence")
        self.rule = None


class OpenRule:
    """A rule that is being read, and how far."""

    def __init__(self, rule):
        self.rule = rule
        self.seen_acsl = False
        self.seen_yaml = False


def table_rows(tokens):
    """The rows of the table that starts at tokens[0]: (line, cells as raw Markdown)."""
    cells, line = None, None
    for token in tokens:
        if token.type == "tr_open":
            cells, line = [], token.map[0] if token.map else line
        elif token.type == "inline" and cells is not None:
            cells.append(token.content)
        elif token.type == "tr_close":
            yield line, cells
            cells = None
        elif token.type == "table_close":
            return


def constant_value(text):
    """(value, C literal) of a constant as written, or (None, None). `1 << N` is worked out here,
    so that nobody works it out again; values over 32 bits say so."""
    if len(text) > 2 and text[0] == text[-1] == '"':
        return text[1:-1], text
    shift = SHIFT.fullmatch(text)
    if shift:
        value = int(shift.group(1), 0) << int(shift.group(2))
        text = f"0x{value:08x}"
    elif NUMBER.fullmatch(text):
        value = int(text, 0)
    else:
        return None, None
    if value >= 1 << 64:
        return None, None
    return value, text + ("ull" if value >= 1 << 32 else "u")
