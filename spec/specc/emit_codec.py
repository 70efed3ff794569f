# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""codec.h and codec.c: a decoder and an encoder of each structure, with contracts; and the judges.

A prover follows a few assignments to members, or bytes, but not dozens of them at once. So a
structure of more than FEW numbers is decoded by a function of its own, which has a clause for each
member, and it is encoded half by half, down to functions that write no more than FEW fields.
"""

from . import emit_judge
from .emit_c import HEAD, guarded

FEW = 4

INTRODUCTION = """\
/*
 * Decoders and encoders of the on-disk structures.
 *
 * A decoder takes a view that starts with the structure. ISHARE_SHORT: the view ends before the
 * structure does; the members are then unspecified.
 *
 * An encoder takes members that fit their fields, and writes them to p. Fields that are arrays of
 * bytes have no members: their bytes stay as they are.
 */
"""


def codec_h(spec):
    """The declarations, each below its contract."""
    parts = ['#include "bytes.h"\n', INTRODUCTION]
    for struct in coded(spec):
        parts += [f"{decoder_contract(struct)}{decoder_head(struct)};\n",
                  f"{encoder_contract(struct)}{encoder_head(struct)};\n"]
    parts += emit_judge.declarations(spec)
    return guarded("ISHARE_CODEC_H", "\n".join(parts))


def codec_c(spec):
    """The definitions."""
    parts = [HEAD + '#include "codec.h"\n' + emit_judge.INCLUDE * bool(spec.judgings)]
    for struct in coded(spec):
        parts += [*decoder(struct), *encoder(struct)]
    parts += emit_judge.definitions(spec)
    return "\n".join(parts)


def coded(spec):
    """The structures that have a number to decode."""
    return [struct for struct in spec.structs if struct.numbers]


# ---- what both directions are made of ----

def size(struct):
    """The macro for the bytes of a structure."""
    return f"ISHARE_{struct.name.upper()}_SIZE"


def offset(struct, f):
    """The macro for the place of a field."""
    return f"ISHARE_{struct.name.upper()}_{f.name.upper()}_OFFSET"


def field_clause(struct, f):
    """The clause that says that a member is what the bytes at p say."""
    at = offset(struct, f)
    value = f"p[{at}]" if f.type == "u8" else f"{f.type}(p + {at})"
    clause = f"    ensures {f.name}: s->{f.name} == {value}"
    return clause if len(clause) < 96 else clause.replace(": ", ":\n      ", 1)


def contract(requires, assigns, ensures):
    """A contract of a function that always returns."""
    lines = [f"    requires {clause};" for clause in requires]
    lines += ["    terminates \\true;", "    exits \\false;", f"    assigns {assigns};"]
    return "/*@" + ("\n".join(lines) + "\n" + ";\n".join(ensures)).removeprefix("   ") + "; */\n"


def function(head, lines):
    """A definition."""
    return f"{head}\n{{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


def head(result, name, first, second):
    """The head of a function with two parameters, in one line if it fits into 100 columns."""
    line = f"{result} {name}({first}, {second})"
    if len(line) < 100:
        return line
    before = len(f"{result} {name}(")
    return f"{result} {name}({first},\n" + "\t" * (before // 8) + " " * (before % 8) + f"{second})"


# ---- decoding ----

def decoder_head(struct):
    """The head of a decoder."""
    return head("enum ishare_status", f"ishare_{struct.name}_decode", "const struct ishare_view *v",
                f"struct ishare_{struct.name} *s")


def decoder_contract(struct):
    """All or nothing, as the view is long enough or not."""
    whole = f"v->size >= {size(struct)}"
    short = f"v->size < {size(struct)}"
    return contract(["view: view_ok(v)", "writable: \\valid(s)",
                     "apart: \\separated(s, v, v->data + (0 .. v->size - 1))"], "*s",
                    [f"    ensures whole: {whole} ==> \\result == ISHARE_OK",
                     f"    ensures short: {short} ==> \\result == ISHARE_SHORT",
                     "    ensures decoded: \\result == ISHARE_OK ==> "
                     f"{struct.name}_at(v->data, s)"])


def decoder(struct):
    """A decoder, after what it is made of."""
    lines = [f"if (v->size < {size(struct)})", "\treturn ISHARE_SHORT;"]
    if len(struct.numbers) <= FEW:
        return [function(decoder_head(struct),
                         [*lines, *reads(struct, "v->data"), "return ISHARE_OK;"])]
    reader = head("static void", f"{struct.name}_read", "const uint8_t *p",
                  f"struct ishare_{struct.name} *s")
    return [reader_contract(struct) + function(reader, reads(struct, "p")),
            function(decoder_head(struct),
                     [*lines, f"{struct.name}_read(v->data, s);", "return ISHARE_OK;"])]


def reads(struct, start):
    """An assignment to each member."""
    for f in struct.numbers:
        at = offset(struct, f)
        yield f"s->{f.name} = {start}[{at}];" if f.type == "u8" else \
            f"s->{f.name} = ishare_{f.type}({start} + {at});"


def reader_contract(struct):
    """A clause for each member."""
    bytes_ = f"p + (0 .. {size(struct)} - 1)"
    return contract([f"readable: \\valid_read({bytes_})", "writable: \\valid(s)",
                     f"apart: \\separated(s, {bytes_})"], "*s",
                    [field_clause(struct, f) for f in struct.numbers])


# ---- encoding ----

def encoder_head(struct):
    """The head of an encoder."""
    return head("void", f"ishare_{struct.name}_encode", f"const struct ishare_{struct.name} *s",
                "uint8_t *p")


def encoder_contract(struct, fields=None):
    """What is encoded decodes to these members, and to no others. Many members have a clause each,
    and so have the fields that a part writes."""
    if len(struct.numbers) > FEW:
        fields = fields or struct.numbers
        return contract(encoder_requires(struct), places(fields),
                        [part_clause(struct, f) for f in fields])
    return contract(encoder_requires(struct), places(struct.numbers),
                    [f"    ensures encoded: {struct.name}_at(p, s)",
                     f"    ensures round_trip: \\forall struct ishare_{struct.name} *t;\n"
                     f"      {struct.name}_at(p, t) ==> {struct.name}_equal(t, s)"])


def encoder_requires(struct):
    """What an encoder and its parts ask for."""
    bytes_ = f"p + (0 .. {size(struct)} - 1)"
    return ["readable: \\valid_read(s)", f"writable: \\valid({bytes_})",
            f"apart: \\separated(s, {bytes_})", f"fits: {struct.name}_fits(s)"]


def places(fields):
    """The bytes of some fields, as an assigns clause has them."""
    runs = []
    for f in fields:
        if runs and runs[-1][1] == f.offset:
            runs[-1][1] += f.width
        else:
            runs.append([f.offset, f.offset + f.width])
    return ", ".join(f"p[{start} .. {end - 1}]" for start, end in runs)


def encoder(struct):
    """An encoder, after the parts that it calls."""
    parts, lines = writer(struct, struct.numbers, f"{struct.name}_write")
    return [*parts, function(encoder_head(struct), lines)]


def writes(struct, fields):
    """A write of each field."""
    for f in fields:
        at = offset(struct, f)
        yield f"p[{at}] = (uint8_t)s->{f.name};" if f.type == "u8" else \
            f"ishare_put_{f.type}(p + {at}, s->{f.name});"


def part_clause(struct, f):
    """The same; eight bytes in halves, which a prover follows better through the other writes."""
    if f.type != "le64":
        return field_clause(struct, f)
    at = offset(struct, f)
    return (f"    ensures {f.name}: s->{f.name} ==\n"
            f"      le32(p + {at}) +\n      4294967296 * le32(p + ({at} + 4))")


def writer(struct, fields, name):
    """Functions that write parts of some fields, and the lines that write all of them."""
    if len(fields) <= FEW:
        return [], list(writes(struct, fields))
    functions, calls = [], []
    half = len(fields) // 2
    for number, part in enumerate((fields[:half], fields[half:]), 1):
        parts, lines = writer(struct, part, f"{name}_{number}")
        part_head = head("static void", f"{name}_{number}",
                         f"const struct ishare_{struct.name} *s", "uint8_t *p")
        functions += [*parts, encoder_contract(struct, part) + function(part_head, lines)]
        calls.append(f"{name}_{number}(s, p);")
    return functions, calls
