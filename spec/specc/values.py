# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The values that a vector's edits give to fields and texts."""

import re

from .parse import NUMBER


def is_count(value):
    """A number that is none of YAML's booleans."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def hex_bytes(text):
    """Bytes of hexadecimal digits, or None."""
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


def array_bytes(value):
    """The bytes of a u8[N]: digits, with or without {hex: digits} around them."""
    return text_bytes(value) if isinstance(value, dict) else hex_bytes(value)


def text_bytes(value):
    """The bytes of a name or value: text, or {hex: digits}."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict) and set(value) == {"hex"}:
        return hex_bytes(value["hex"])
    return None


def new_number(spec, value, old, bits):
    """A field's new value: a number, a constant's name, or an operation on the old one."""
    if is_count(value):
        return value
    if not isinstance(value, str):
        return None
    operator, operand = re.fullmatch(r"([-+^|&]?)(.*)", value, re.DOTALL).groups()
    constant = spec.constant(operand)
    n = int(operand, 0) if NUMBER.fullmatch(operand) else constant.value if constant else None
    if not isinstance(n, int):
        return None
    return {"": n, "+": (old + n) % (1 << bits), "-": (old - n) % (1 << bits),
            "^": old ^ n, "|": old | n, "&": old & n}[operator]
