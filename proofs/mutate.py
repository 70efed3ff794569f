# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Makes mutants of C code: the same text with one small thing wrong.

Only the bodies of functions are touched, never a comment - so never a contract - nor a preprocessor
line. What comes out need not compile; who asked for it tries that. The order, and so the numbering,
follows the text alone.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""[A-Za-z_]\w*|0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|'(?:\\.|[^'])'|->|<<|>>|<=|>=|==|!=|&&|\|\|"""
                   r"""|\+\+|--|[-+*/%&|^]=|\S""")
OPEN, CLOSE = "([{", ")]}"

COMPARISONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
               "==": ("!=", "<="), "!=": ("==", "<")}
OPERATORS = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", ">>": "<<", "<<": ">>", "&": "|",
             "|": "&", "^": "|",
             "++": "--"}
STATUSES = ("ISHARE_OK", "ISHARE_END", "ISHARE_SHORT", "ISHARE_MALFORMED")
SPACES = ("ISHARE_PREFIX_IN_IMAGE", "ISHARE_PREFIX_IN_METABOX", "ISHARE_PREFIX_IN_PACKED")
KEYWORDS = {"return", "if", "else", "for", "while", "switch", "case", "default", "break",
            "continue", "goto", "do",
            "sizeof", "struct", "enum", "const", "static", "bool", "void", "unsigned",
            "char", "int"}


@dataclass(frozen=True)
class Mutant:
    """One change to one function: replacement instead of text[start:end]."""
    path: str
    function: str
    line: int
    operator: str
    number: int
    start: int
    end: int
    replacement: str

    @property
    def name(self):
        """file:function:line:operator:n"""
        return f"{self.path.rsplit('/', 1)[-1]}:{self.function}:{self.line}:{self.operator}:{self.number}"

    def apply(self, text):
        """The mutated file."""
        return text[:self.start] + self.replacement + text[self.end:]

    def lines(self, text):
        """The changed lines, before and after, with single spaces."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        before = text[first:last]
        after = text[first:self.start] + self.replacement + text[self.end:last]
        return " ".join(before.split()), " ".join(after.split())


@dataclass(frozen=True)
class Token:
    """A token and where it is."""
    text: str
    start: int
    end: int


def blank(text):
    """The text with comments and preprocessor lines replaced by spaces."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = re.sub(r"/\*.*?\*/|//[^\n]*", spaces, text, flags=re.DOTALL)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", spaces, text, flags=re.MULTILINE)


def functions(code):
    """(name, return type, start and end of the body) of each function, as kernel style sets
    them."""
    for match in re.finditer(r"^(\w[^\n;{}]*?(\w+)\([^;{}]*\))\s*^\{$(.*?)^\}$", code,
                             re.DOTALL | re.MULTILINE):
        head, name = match.group(1), match.group(2)
        yield name, head[:head.index(name + "(")].strip(), match.start(3), match.end(3)


class Body:
    """The body of one function."""

    def __init__(self, code, kind, start, end):
        self.code, self.kind = code, kind
        self.tokens = [Token(m.group(), m.start(), m.end())
                       for m in TOKEN.finditer(code, start, end)]
        self.pair = self.pairs()

    def pairs(self):
        """The partner of each bracket, both ways."""
        pair, stack = {}, []
        for i, token in enumerate(self.tokens):
            if token.text in OPEN:
                stack.append(i)
            elif token.text in CLOSE:
                pair[i] = stack.pop()
                pair[pair[i]] = i
        return pair

    def text(self, i):
        """A token's text; nothing beyond the ends."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def source(self, first, last):
        """The text from one token to another."""
        return self.code[self.tokens[first].start:self.tokens[last].end]

    def change(self, operator, first, last, replacement):
        """What changes yields: operator, start, end, replacement."""
        return operator, self.tokens[first].start, self.tokens[last].end, replacement

    def is_word(self, i):
        """Whether a token is a name or number and no keyword."""
        return re.match(r"[\w']", self.text(i)) is not None and self.text(i) not in KEYWORDS

    def is_binary(self, i):
        """Whether an operator has an operand before it."""
        return self.is_word(i - 1) or self.text(i - 1) in (")", "]")

    def left(self, i):
        """The first token of the operand that ends before token i."""
        i -= 1
        while True:
            while self.text(i) in (")", "]"):
                i = (self.pair[i] - 1
                     if self.is_word(self.pair[i] - 1) or self.text(i) == "]" else self.pair[i])
                if self.text(i) == "(":
                    return i
            if self.text(i - 1) in ("->", "."):
                i -= 2
                continue
            while self.text(i - 1) in ("*", "&", "!", "~") and not self.is_binary(i - 1):
                i -= 1
            return i

    def right(self, i):
        """The last token of the operand that starts after token i."""
        i += 1
        while self.text(i) in ("!", "&", "*", "-", "~"):
            i += 1
        if self.text(i) == "(":
            i = self.pair[i]
            if self.is_word(i + 1) or self.text(i + 1) == "(":
                return self.right(i)
            return i
        while True:
            if self.text(i + 1) in ("(", "["):
                i = self.pair[i + 1]
            elif self.text(i + 1) in ("->", "."):
                i += 2
            else:
                return i

    def changes(self):
        """All changes, in the order of the text."""
        for i, token in enumerate(self.tokens):
            text = token.text
            if text in COMPARISONS:
                yield from self.comparison(i)
            elif text in OPERATORS:
                yield from self.arithmetic(i)
            elif text in ("&&", "||"):
                yield from self.connective(i)
            elif text == "!":
                yield self.change("condition", i, i, "")
            elif text == "if":
                yield from self.condition(i)
            elif text == "return":
                yield from self.returned(i)
            elif text in ("uint64_t", "size_t") and self.is_cast(i):
                yield self.change("wrap", i - 1, i + 1, "")
            elif text == "ishare_fits":
                yield from self.fits(i)
            elif re.match(r"\d|'|ISHARE_", text):
                yield from self.constant(i)
            if self.is_statement(i):
                yield self.change("statement", i, self.end_of_statement(i) - 1, "")

    def is_cast(self, i):
        """Whether a type's name stands alone between parentheses."""
        return self.text(i - 1) == "(" and self.text(i + 1) == ")"

    def comparison(self, i):
        """Another comparison; a bound that is wider by one."""
        for other in COMPARISONS[self.text(i)]:
            yield self.change("compare", i, i, other)
        if self.text(i) in ("<", "<=", ">", ">="):
            last = self.right(i)
            yield self.change("bound", i + 1, last, f"{self.source(i + 1, last)} + 1u")
            yield self.change("bound", i + 1, last, f"{self.source(i + 1, last)} * 2u")

    def arithmetic(self, i):
        """Another operator; operands swapped; an addend dropped."""
        if not self.is_binary(i):
            return
        text = self.text(i)
        yield self.change("operator", i, i, OPERATORS[text])
        if text == "++":
            return
        first, last = self.left(i), self.right(i)
        if text in ("-", "/", "%"):
            swapped = f"{self.source(i + 1, last)} {text} {self.source(first, i - 1)}"
            yield self.change("swap", first, last, swapped)
        if text in ("+", "-", "*", "/", "%"):
            yield self.change("operand", i, last, "")

    def connective(self, i):
        """The other connective; one side dropped."""
        yield self.change("condition", i, i, "||" if self.text(i) == "&&" else "&&")
        first, last = self.span(i, -1), self.span(i, 1)
        yield self.change("condition", first, i, "")
        yield self.change("condition", i, last, "")

    def span(self, i, step):
        """The end of a connective's operand, in one direction."""
        i += step
        while True:
            if self.text(i) in (OPEN if step > 0 else CLOSE):
                i = self.pair[i]
            following = self.text(i + step)
            if following in ("&&", "||", "return", ";", ",", "{", "}", "?", ":", "=", "") or \
                    following in (CLOSE if step > 0 else OPEN):
                return i
            i += step

    def condition(self, i):
        """A condition turned round, or never true."""
        last = self.pair[i + 1]
        yield self.change("condition", i + 1, last, f"(!{self.source(i + 1, last)})")
        yield self.change("condition", i + 1, last, "(0)")

    def returned(self, i):
        """Another result."""
        last = self.end_of_statement(i) - 1
        if last == i:
            return
        value = self.source(i + 1, last)
        if "bool" in self.kind:
            others = ("true", "false") if value not in ("true", "false") else \
                ("false" if value == "true" else "true",)
        elif "ishare_status" in self.kind:
            others = [s for s in STATUSES if s != value][:2]
        elif "ishare_prefix_space" in self.kind:
            others = [s for s in SPACES if s != value]
        else:
            others = ("0", f"{value} + 1u")
        for other in others:
            if other != value:
                yield self.change("return", i + 1, last, other)

    def fits(self, i):
        """A range tested by a sum, which can wrap."""
        if self.text(i + 1) != "(":
            return
        last = self.pair[i + 1]
        commas = [i + 1] + [k for k in range(i + 2, last) if self.text(k) == ","
                            and self.depth(i + 2, k) == 0] + [last]
        if len(commas) == 4:
            size, offset, length = (self.source(a + 1, b - 1) for a, b in zip(commas, commas[1:]))
            yield self.change("wrap", i, last, f"({offset} + {length} <= {size})")
            yield self.change("bound", i, last, f"({offset} <= {size})")
            yield self.change("bound", i, last, f"({length} <= {size})")

    def depth(self, first, last):
        """How many brackets are open at token last, counted from first."""
        return sum((self.text(k) in OPEN) - (self.text(k) in CLOSE) for k in range(first, last))

    def constant(self, i):
        """One more, one less."""
        text = self.text(i)
        if text in STATUSES or text in SPACES:
            return
        operator = "index" if self.text(i - 1) == "[" else "constant"
        number = re.match(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)$", text)
        if number:
            value, suffix = int(number.group(1), 0), number.group(2)
            yield self.change(operator, i, i, f"{value + 1}{suffix}")
            if value:
                yield self.change(operator, i, i, f"{value - 1}{suffix}")
        elif text[0] == "'":
            yield self.change(operator, i, i, f"({text} + 1)")
        else:
            yield self.change(operator, i, i, f"({text} + 1)")
            yield self.change(operator, i, i, f"({text} - 1)")

    def is_statement(self, i):
        """Whether a statement starts here that can be dropped: an assignment, an increment or a
        call."""
        before = self.text(i - 1)
        if not (before in (";", "{", "}", "", "else", ":") or before == ")"
                and self.is_control(self.pair[i - 1])):
            return False
        if self.depth(0, i) != sum((self.text(k) == "{") - (self.text(k) == "}") for k in range(i)):
            return False
        return self.is_word(i) and self.text(i + 1) in ("=", "->", "++", "(", "[",
                                                        ".") or self.text(i) == "*"

    def is_control(self, i):
        """Whether a parenthesis belongs to if, for or while."""
        return self.text(i - 1) in ("if", "for", "while")

    def end_of_statement(self, i):
        """The semicolon that ends a statement."""
        while self.text(i) != ";":
            i = self.pair[i] if self.text(i) in OPEN else i
            i += 1
        return i


def mutants(path, text):
    """All mutants of a file, no two alike."""
    code, seen = blank(text), set()
    # The range test is the one place that knows how to avoid a wrapping sum, so its mutant is
    # written out.
    whole = [("wrap", m.start(), m.end(), "offset + len <= size")
             for m in re.finditer(r"len <= size && offset <= size - len", code)]
    for function, kind, start, end in functions(code):
        body = Body(code, kind, start, end)
        counts = {}
        found = [w for w in whole if start <= w[1] < end] + list(body.changes())
        for operator, first, last, replacement in sorted(found, key=lambda f: (f[1], f[0])):
            line = text.count("\n", 0, first) + 1
            if (first, last, replacement) in seen:
                continue
            seen.add((first, last, replacement))
            number = counts[line, operator] = counts.get((line, operator), 0) + 1
            yield Mutant(path, function, line, operator, number, first, last, replacement)
