# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Reads the yaml fence of a rule: its keys, and its vectors."""

from .model import (HARMS, KERNEL_KEYS, SEVERITIES, SHARING, SUBJECTS, VECTOR_KINDS, VERDICTS,
                    Vector)
from .yaml_lines import Map, Seq

RULE_KEYS = ("subject", "severity", "harm", "hides", "sharing", "kernel", "divergence", "also",
             "verdict", "vectors", "established-by", "unspecified")


class RuleYaml:
    """Reads a rule's yaml fence."""

    def __init__(self, rule, data, place, complain):
        self.rule, self.data, self.place, self.complain = rule, data, place, complain

    def error(self, key, message):
        """Complain about a key."""
        self.complain(self.data.lines.get(key, self.data.line),
                          f"rule {self.rule.name}: {message}")

    def read(self):
        """Every key is known and has a value of its kind."""
        for key in self.data:
            if key not in RULE_KEYS:
                self.error(key, f"unknown key {key}")
        rule = self.rule
        rule.key_places = {k: self.place(line) for k, line in self.data.lines.items()}
        rule.subject = self.choice("subject", SUBJECTS, None)
        rule.severity = self.choice("severity", SEVERITIES, None)
        rule.harm = self.choice("harm", HARMS, None)
        rule.verdict = self.choice("verdict", VERDICTS, "invalid")
        rule.hides = self.text("hides")
        rule.sharing = self.choice("sharing", SHARING, "") or None
        rule.divergence = self.text("divergence")
        rule.unspecified = self.text("unspecified")
        rule.kernel = self.kernel()
        rule.also = self.names("also")
        rule.established_by = self.names("established-by")
        self.vectors()

    def choice(self, key, allowed, default):
        """One of a few words; without a default the key is required."""
        if key not in self.data:
            if default is None:
                self.error(None, f"{key} is missing")
            return default
        value = self.data[key]
        if value not in allowed:
            self.error(key, f"{key}: {value} is none of {', '.join(allowed)}")
            return default
        return value

    def text(self, key):
        """Optional text."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, str):
            self.error(key, f"{key} must be text")
            return None
        return " ".join(value.split()) if value else None

    def names(self, key):
        """A list of texts, or one."""
        value = self.data.get(key, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.error(key, f"{key} must be a list of texts")
            return []
        if key == "also":
            lines = getattr(value, "lines", [self.data.lines.get(key, 0)] * len(value))
            self.rule.also_places = [self.place(line) for line in lines]
        return list(value)

    def kernel(self):
        """Reads the key `kernel`: what a kernel does with a violation."""
        value = self.data.get("kernel")
        if value is None:
            return {}
        if not isinstance(value, Map):
            self.error("kernel", "kernel must be a map")
            return {}
        for key, text in value.items():
            line = value.lines[key]
            if key not in KERNEL_KEYS:
                self.complain(line, f"rule {self.rule.name}: unknown key kernel.{key}")
            elif not isinstance(text, str):
                self.complain(line, f"rule {self.rule.name}: kernel.{key} must be text "
                              "(quote it)")
        return {k: v for k, v in value.items() if k in KERNEL_KEYS and isinstance(v, str)}

    def vectors(self):
        """Lists of edits by kind, with a base image for all that name none."""
        value = self.data.get("vectors")
        if value is None:
            return
        if not isinstance(value, Map):
            self.error("vectors", "vectors must be a map")
            return
        base = value.get("base", "plain")
        if not isinstance(base, str):
            self.complain(value.lines["base"], f"rule {self.rule.name}: base must be a name")
            base = "plain"
        for kind in value:
            if kind in VECTOR_KINDS:
                self.vector_list(kind, value[kind], value.lines[kind], base)
            elif kind != "base":
                self.complain(value.lines[kind],
                              f"rule {self.rule.name}: unknown key vectors.{kind}")

    def vector_list(self, kind, entries, line, base):
        """The vectors of one kind."""
        if not isinstance(entries, Seq):
            self.complain(line, f"rule {self.rule.name}: vectors.{kind} must be a list")
            return
        for number, entry in enumerate(entries):
            if isinstance(entry, Map):
                self.rule.vectors.append(Vector(self.place(entries.lines[number]), kind,
                                                number, entry, entry.get("base", base)))
            else:
                self.complain(entries.lines[number],
                              f"rule {self.rule.name}: a vector must be a map")
