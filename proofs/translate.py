# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Translates ACSL into C that computes it: the `requires` clauses of the core, and of the
specification what they refer to.

ACSL's integers become 128-bit numbers: all members have at most 64 bits, and what the clauses
compute from them is far from overflowing 128. Whether memory is valid is asked of the address
sanitizer (proofs/requires.c). Anything that is not understood raises Untranslated: no clause is
left out.
"""

import re
from dataclasses import dataclass

import acsl

TOKEN = re.compile(r"\s*(\\?\w+|<==>|==>|->|<=|>=|==|!=|&&|\|\||<<|>>|\.\.|[-+*/%&|^!?:;,.()<>\[\]])")
NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
CONSTANT = re.compile(r"ISHARE_[A-Z0-9_]+")
# From the weakest to the strongest; what is compared is a separate matter.
CONNECTIVES = (("<==>", "({a} == {b})"), ("==>", "(!{a} || {b})"), ("||", "({a} || {b})"),
               ("&&", "({a} && {b})"))
COMPARISONS = ("<=", ">=", "<", ">", "==", "!=")
ARITHMETIC = (("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
STRUCT = re.compile(r"^struct (ishare_\w+) \{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"^\t(?:const )?((?:struct )?\w+ \*?)(\w+);", re.MULTILINE)
INTEGERS = ("integer", "uint8_t", "uint32_t", "uint64_t", "size_t", "bool")


class Untranslated(Exception):
    """What cannot be computed by C as it is translated here."""


@dataclass(frozen=True)
class Term:
    """A term or predicate in C. Its type is integer, predicate, range, region, a structure or a
    pointer."""
    type: str
    c: str


def plain_type(words):
    """The type of a parameter or member, from its declaration."""
    words = " ".join(words.replace("const ", "").replace("*", " *").split())
    return "integer" if words in INTEGERS or words.startswith("enum ") else words


def parameter(declaration):
    """(name, type) of a parameter."""
    match = re.fullmatch(r"(.*?)(\w+)", declaration.strip())
    return match.group(2), plain_type(match.group(1))


def declared(name, kind):
    """A parameter in C."""
    return f"integer {name}" if kind == "integer" else f"const {kind}{name}"


class Specification:
    """The definitions, and the structures that they are about."""

    def __init__(self, definitions, declarations):
        self.definitions = {}
        for note in acsl.annotations(definitions):
            for statement in acsl.statements(note.body):
                match = acsl.DEFINITION.fullmatch(statement)
                kind = "predicate" if statement.split()[0] == "predicate" else "integer"
                parameters = [parameter(p) for p in (match.group(2) or "").split(",") if p.strip()]
                self.definitions[match.group(1)] = kind, parameters, match.group(3)
        self.structures = {f"struct {name}": {member: plain_type(kind)
                                              for kind, member in MEMBER.findall(body)}
                           for name, body in STRUCT.findall(declarations)}
        self.functions = {}  # name: (prototype, definition) in C

    def function(self, name):
        """Translates a definition; returns its parameters."""
        if name not in self.definitions:
            raise Untranslated(f"the specification does not define {name}")
        kind, parameters, body = self.definitions[name]
        if name not in self.functions:
            head = f"static {'bool' if kind == 'predicate' else 'integer'} spec_{name}(" + \
                ", ".join(declared(n, t) for n, t in parameters) + ")"
            self.functions[name] = head, ""  # it may call itself
            value = Translator(self, body, dict(parameters)).whole(kind)
            self.functions[name] = head, f"{head}\n{{\n\treturn {value};\n}}\n"
        return kind, parameters

    def predicate(self, text, variables):
        """A predicate, as an expression in C; the variables have types."""
        return Translator(self, text, variables).whole("predicate")


class Translator:
    """Parses one predicate or term."""

    def __init__(self, specification, text, variables):
        text = re.sub(r"\s+", " ", text).strip()
        self.specification, self.text, self.variables = specification, text, dict(variables)
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != text.replace(" ", ""):
            raise self.error("it has characters that are not known")

    def error(self, why):
        """An exception about the text."""
        return Untranslated(f"`{self.text}`: {why}")

    def peek(self):
        """The next token, or an empty string at the end."""
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted=None):
        """The next token, which is removed."""
        if not self.tokens or wanted and self.tokens[0] != wanted:
            raise self.error(f"{wanted or 'more'} is missing before `{' '.join(self.tokens[:5])}`")
        return self.tokens.pop(0)

    def whole(self, kind):
        """All of the text, as C."""
        value = self.expression()
        if self.tokens:
            raise self.error(f"`{' '.join(self.tokens[:5])}` is not understood")
        return self.of(value, kind)

    def of(self, term, kind):
        """The C of a term, which must have this type."""
        if term.type != kind:
            raise self.error(f"`{term.c}` is not of type {kind}, but {term.type}")
        return term.c

    # ---- From the weakest operator to the strongest ----

    def expression(self):
        """A quantifier, or a conditional."""
        if self.peek() == r"\forall":
            return self.for_all()
        condition = self.connective(0)
        if self.peek() != "?":
            return condition
        self.take()
        yes = self.expression()
        self.take(":")
        no = self.expression()
        return Term(yes.type,
                    f"({self.of(condition, 'predicate')} ? {yes.c} : {self.of(no, yes.type)})")

    def for_all(self):
        r"""`\forall integer i; low <= i < high ==> body`: a loop."""
        for wanted in (r"\forall", "integer"):
            self.take(wanted)
        name = self.take()
        self.take(";")
        low = self.arithmetic(0)
        for wanted in ("<=", name, "<"):
            self.take(wanted)
        high = self.arithmetic(0)
        self.take("==>")
        outer = self.variables
        self.variables = outer | {name: "integer"}
        body = self.of(self.expression(), "predicate")
        self.variables = outer
        return Term("predicate",
                    f"({{ bool all = true; for (integer {name} = {self.of(low, 'integer')}; "
                    f"all && {name} < {self.of(high, 'integer')}; {name}++) all = {body}; all; }})")

    def connective(self, level):
        """Predicates, connected."""
        if level == len(CONNECTIVES):
            return self.comparison()
        operator, form = CONNECTIVES[level]
        left = self.connective(level + 1)
        while self.peek() == operator:
            self.take()
            if self.peek() == r"\forall":
                right = self.for_all()
            else:
                # An implication binds to the right.
                right = self.connective(level + (operator != "==>"))
            left = Term("predicate", form.format(a=self.of(left, "predicate"),
                                                 b=self.of(right, "predicate")))
        return left

    def comparison(self):
        """Integers in a chain: a <= b < c."""
        terms, holds = [self.arithmetic(0)], []
        while self.peek() in COMPARISONS:
            operator = self.take()
            terms.append(self.arithmetic(0))
            holds.append(f"{self.of(terms[-2], 'integer')} {operator} "
                         f"{self.of(terms[-1], 'integer')}")
        return Term("predicate", f"({' && '.join(holds)})") if holds else terms[0]

    def arithmetic(self, level):
        """Integers; or a pointer and an integer or a range."""
        if level == len(ARITHMETIC):
            return self.unary()
        left = self.arithmetic(level + 1)
        while self.peek() in ARITHMETIC[level]:
            operator = self.take()
            right = self.arithmetic(level + 1)
            if left.type.endswith("*") and operator == "+":
                left = self.moved(left, right)
            else:
                left = Term("integer", f"({self.of(left, 'integer')} {operator} "
                                       f"{self.of(right, 'integer')})")
        return left

    def moved(self, pointer, distance):
        """A pointer moved, or the region that begins there."""
        if distance.type == "range":
            low, high = distance.c.split("..")
            size = f"({high} - {low} + 1) * (integer)sizeof(*{pointer.c})"
            # The pointer of an empty view may be NULL, to which C adds nothing, not even 0.
            start = pointer if low == "number(0)" else self.moved(pointer, Term("integer", low))
            return Term("region", f"{start.c}, {size}")
        return Term(pointer.type,
                    f"({pointer.c} + (ptrdiff_t){self.of(distance, 'integer')})")

    def unary(self):
        """Negation, minus, address."""
        if self.peek() == "!":
            self.take()
            return Term("predicate", f"!{self.of(self.unary(), 'predicate')}")
        if self.peek() == "-":
            self.take()
            return Term("integer", f"(-{self.of(self.unary(), 'integer')})")
        if self.peek() == "&":
            self.take()
            value = self.unary()
            return Term(f"{value.type} *", f"(&{self.of(value, value.type)})")
        return self.postfix()

    def postfix(self):
        """Members and elements."""
        value = self.primary()
        while self.peek() in ("->", ".", "["):
            operator = self.take()
            if operator == "[":
                index = self.of(self.expression(), "integer")
                self.take("]")
                value = self.loaded(value.type.removesuffix(" *"),
                                    f"{value.c}[(ptrdiff_t){index}]")
            else:
                value = self.member(value, operator, self.take())
        return value

    def member(self, value, operator, name):
        """A member of a structure, or of what a pointer points to."""
        structure = value.type.removesuffix(" *") if operator == "->" else value.type
        kind = self.specification.structures.get(structure, {}).get(name)
        if not kind:
            raise self.error(f"{structure} has no member {name}")
        return self.loaded(kind, f"{value.c}{operator}{name}")

    @staticmethod
    def loaded(kind, c):
        """What is read from memory."""
        kind = plain_type(kind)
        return Term(kind, f"number({c})" if kind == "integer" else c)

    def primary(self):
        """A number, a variable, a call, or something in parentheses."""
        token = self.take()
        if token == "(":
            return self.parentheses()
        if token in (r"\valid", r"\valid_read", r"\separated"):
            return self.memory(token)
        if NUMBER.fullmatch(token) or CONSTANT.fullmatch(token):
            return Term("integer", f"number({token})")
        if self.peek() == "(":
            return self.call(token)
        if token not in self.variables:
            raise self.error(f"{token} is not known")
        return self.loaded(self.variables[token], token)

    def parentheses(self):
        """What stands between them: it may be a range."""
        value = self.expression()
        if self.peek() == "..":
            self.take()
            value = Term("range", f"{self.of(value, 'integer')}.."
                                  f"{self.of(self.expression(), 'integer')}")
        self.take(")")
        return value

    def arguments(self):
        """Up to the closing parenthesis."""
        self.take("(")
        found = [self.expression()]
        while self.peek() == ",":
            self.take()
            found.append(self.expression())
        self.take(")")
        return found

    def call(self, name):
        """Something that the specification defines."""
        kind, parameters = self.specification.function(name)
        given = self.arguments()
        if len(given) != len(parameters):
            raise self.error(f"{name} has {len(parameters)} parameters")
        values = ", ".join(self.of(term, t) for term, (_, t) in zip(given, parameters))
        return Term(kind, f"spec_{name}({values})")

    def memory(self, token):
        """Whether regions are valid, or separate."""
        regions = [self.region(term) for term in self.arguments()]
        if token == r"\separated":
            return Term("predicate", "separated((const struct region[]){ "
                                     + ", ".join(f"{{ {r} }}" for r in regions)
                                     + f" }}, {len(regions)})")
        check = "readable" if token == r"\valid_read" else "writable"
        return Term("predicate", f"({' && '.join(f'{check}({r})' for r in regions)})")

    def region(self, term):
        """Start and size of a region, or of what a pointer points to."""
        if term.type.endswith("*"):
            return f"{term.c}, (integer)sizeof(*{term.c})"
        return self.of(term, "region")
