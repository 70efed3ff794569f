#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Ways around the proofs, each of which a gate refuses: circles of calls across files, builds of
something else than what was proved, contracts that say less. Each is tried in a copy of the tree.
No prover is needed for that."""

import contextlib
import glob
import os
import shutil
import tempfile

from erofs_ishare import tap
import builds
import callgraph
import checks
import compiled
import headers
import promises
import report
from wp import read, write

LIBRARY = "build/libishare.o"
LIMIT = "#define ISHARE_DEVICE_LIMIT 0x100000000ull\n"
OTHER_LIMIT = f"#ifndef __FRAMAC__\n#define ISHARE_DEVICE_LIMIT 1u\n#else\n{LIMIT}#endif\n"
# What ishare_fits() is with -Doffset=size.
MACRO = "is compiled as `uint64_t size , uint64_t size ,"


@contextlib.contextmanager
def tree():
    """In a copy of what is proved and of how it is built."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        for path in ["Makefile", "spec/spec.mk", "proofs/proofs.mk",
                     *glob.glob("build/spec/*.[ch]", root_dir=tap.TOP)]:
            os.makedirs(os.path.dirname(f"{directory}/{path}"), exist_ok=True)
            shutil.copy(f"{tap.TOP}/{path}", f"{directory}/{path}")
        for path in ("ref", "fuzz/image", "fuzz/mutator"):
            shutil.copytree(f"{tap.TOP}/{path}", f"{directory}/{path}", symlinks=True)
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(here)


def edit(path, old, new):
    """Replace the first place where a file has a text."""
    text = read(path)
    assert old in text, (path, old)
    write(path, text.replace(old, new, 1))


def add(path, text):
    """More text at the end of a file, which may be new; before the guard's end in a header."""
    before = read(path) if os.path.exists(path) else ""
    kept, guard, _ = before.rpartition("\n#endif\n")
    write(path, f"{kept}{text}{guard}" if guard else before + text)


def refuses(name, found, *words):
    """One test point: there is a complaint with all of these words."""
    tap.ok(any(all(word in complaint for word in words) for complaint in found), f"refuses {name}",
           *(found or ["nothing was said"]))


# ---- Functions that do not end ----

def test_circles():
    """A circle of calls, across files."""
    with tree():
        tap.is_empty(callgraph.endless(callgraph.of_core(), "gcc"), "accepts the core's calls")
        add("ref/core/prefix.h", "\nbool detour(const struct ishare_superblock *sb,\n"
            "\t    const struct ishare_deviceslot *slot);\n")
        add("ref/core/prefix.c", '\n#include "device.h"\nbool detour(const struct '
            "ishare_superblock *sb, const struct ishare_deviceslot *slot)\n{\n"
            "\treturn dev_range(sb, slot);\n}\n")
        edit("ref/core/device.c", "bool dev_range(", '#include "prefix.h"\nbool dev_range(')
        edit("ref/core/device.c", "\treturn ishare_fits(limit,",
             "\treturn detour(sb, slot) || ishare_fits(limit,")
        refuses("a circle across files", callgraph.endless(callgraph.of_core(), "gcc"),
                "detour -> dev_range -> detour")
        if shutil.which("frama-c"):
            refuses("a circle that Frama-C sees",
                    callgraph.endless(callgraph.of_frama_c(), "Frama-C"), "detour", "dev_range")
        else:
            tap.skip("refuses a circle that Frama-C sees", "it is not installed")
    with tree():
        add("ref/core/bytes.h", "\nstatic inline bool even(uint32_t n);\nstatic inline bool "
            "odd(uint32_t n)\n{\n\treturn n && even(n - 1);\n}\nstatic inline bool even(uint32_t n)\n"
            "{\n\treturn !n || odd(n - 1);\n}\n")
        refuses("a circle in a header", callgraph.endless(callgraph.of_core(), "gcc"),
                "even -> ", "odd")
    with tree():
        add("ref/core/chunk.c", "\nbool any(bool (*f)(void))\n{\n\treturn f();\n}\n")
        refuses("a call through a pointer", callgraph.endless(callgraph.of_core(), "gcc"),
                "any() calls through a pointer")
    dot = '"UV f (1)" -> "UV g (2)" [style="bold"];\n"UV g (2)" -> "UV f (1)";\n'
    refuses("a circle in Frama-C's graph", callgraph.endless(callgraph.parse_dot(dot), "Frama-C"),
            "f -> g -> f")
    refuses("a graph without calls", callgraph.endless(callgraph.parse_dot(""), "Frama-C"),
            "no calls")


# ---- Builds of something else ----

def complaints(*products):
    """What the gates of the builds say of what make would do for these."""
    products = products or (LIBRARY,)
    plan = builds.planned(products)
    core = compiled.of_core(plan.compiled)
    return [*compiled.same_text(core, PROVED), *compiled.plain_options(core),
            *compiled.replaced(plan.links), *compiled.shadowed(),
            *compiled.whole(plan, products)]


def test_builds():
    """Other headers, other options, other files."""
    with tree():
        tap.is_empty(complaints(LIBRARY, "build/erofs-ishare"), "accepts the builds of the Makefile")
        add("ref/spec.acsl.h", "#define offset (size - size)\n")
        refuses("a header that shadows a generated one", complaints(), "device.o",
                "is compiled as")
        refuses("a header with such a name", complaints(), "ref/spec.acsl.h: has the name")
    with tree():
        add("ref/stdint.h", "#include_next <stdint.h>\nstatic inline int more(void);\n")
        refuses("a header that shadows one of the compiler's", complaints(), "has text of",
                "ref/stdint.h")
    for name, option, words in (
            ("an included file", "-include ref/evil.h", ("is compiled as",)),
            ("an included file, whatever it has", "-include ref/evil.h", ("with -include",)),
            ("a macro", "-Doffset=size", (MACRO,)),
            ("other directories", "-isystem ref", ("with -isystem",)),
            ("other enumerations", "-fshort-enums", ("with -fshort-enums",))):
        with tree():
            add("ref/evil.h", "#define offset (size - size)\n")
            edit("Makefile", "CORE_FLAGS := ", f"CORE_FLAGS := {option} ")
            refuses(f"{name} in CORE_FLAGS", complaints(), *words)
    with tree():
        add("Makefile", "\nbuild/ref/core/device.o: CORE_FLAGS += -Doffset=size\n")
        refuses("a macro for one object", complaints(), "build/ref/core/device.o", MACRO)
    with tree():
        edit("ref/core/device.c", "return", "return !")
        refuses("a file that has changed since", complaints(), "device.o", "return !")


def test_links():
    """Programs without the whole core, or with something in its place."""
    other = "$(filter-out ref/core/device.c,$(wildcard ref/core/*.c)) ref/image/device.c spec"
    with tree():
        os.rename("ref/core/device.c", "ref/image/device.c")
        shutil.copy("ref/image/device.c", "ref/core/device.c")
        edit("Makefile", "CORE := $(wildcard ref/core/*.c) spec", f"CORE := {other}")
        refuses("a list of the core without a file", complaints(), LIBRARY,
                "is made without ref/core/device.c")
    with tree():
        edit("Makefile", "CORE := $(wildcard ref/core/*.c) spec/codec.c", "CORE :=")
        refuses("a list without files", complaints(), LIBRARY, "without build/spec/codec.c")
        refuses("the same of a library of the library", complaints("build/libishare.a"), LIBRARY,
                "without ref/core/device.c")
    with tree():
        shutil.copy("ref/core/device.c", "ref/image/device.c")
        add("Makefile", "\nbuild/ref/core/device.o: ref/image/device.c build/.flags\n"
            "\t$(Q)$(build_cc) $(CORE_FLAGS) -c -o $@ $<\n")
        refuses("an object of another file", complaints(), "is made without ref/core/device.c")
    with tree():
        edit("Makefile", "$$(Q)$$($(1)_link) -pthread -o $$@ $$^ $(6)",
             "$$(Q)$$($(1)_link) -pthread -o $$@ $$(filter-out %/device.o,$$^) ref/core/device.c $(6)")
        refuses("a program compiled of C files", complaints("build/erofs-ishare"),
                "is made of ref/core/device.c")
    with tree():
        edit("Makefile", "HARDENED_LINK := ", "HARDENED_LINK := -Wl,--wrap=dev_range ")
        refuses("a linker that replaces functions", complaints("build/erofs-ishare"),
                "--wrap=dev_range")
    with tree():
        edit("Makefile", "--wildcard", "--redefine-sym other=dev_range --wildcard")
        refuses("an objcopy that does", complaints(), "--redefine-sym")
    with tree():
        edit("fuzz/image/image.mk", "$(FUZZ_IMAGE) $(CORE)",
             "$(FUZZ_IMAGE) $(filter-out ref/core/device.c,$(CORE))")
        refuses("a fuzzer without a file of the core", complaints("build/fuzz/plain/image"),
                "build/fuzz/plain/image", "is made without ref/core/device.c")


def test_headers():
    """What specc may not write."""
    for name, path, old, new, words in (
            ("a conditional in layout.h", headers.LAYOUT, LIMIT, OTHER_LIMIT,
             ("#ifndef __FRAMAC__", "no known form")),
            ("a macro that is no number", headers.LAYOUT, "\n/* Constants",
             "\n#define ISHARE_NO (true || 1u)\n/* Constants", ("ISHARE_NO",)),
            ("a macro with parameters", headers.LAYOUT, "\n/* Constants",
             "\n#define dev_range(sb, slot) true\n/* Constants", ("dev_range",)),
            ("a constant with two values", headers.LAYOUT, "\n/* Constants",
             "\n#define ISHARE_SECTOR_SIZE 1u\n/* Constants", ("twice",)),
            ("an axiom", headers.LAYOUT, "\n/* Constants",
             "\n/*@ axiomatic a { axiom b: 1 == 2; } */\n/* Constants", ("annotation",)),
            ("a function", headers.LAYOUT, "\n/* Constants",
             "\nstatic inline int f(void) { return 1; }\n/* Constants", ("static inline",)),
            ("a member narrower than 32 bits", headers.LAYOUT, "\tsize_t infix;", "\tuint16_t infix;",
             ("uint16_t infix", "no known form")),
            ("a bit-field", headers.LAYOUT, "\tsize_t infix;", "\tuint32_t infix : 31;",
             ("infix : 31", "no known form")),
            ("a line that goes on", headers.LAYOUT, "\n/* Constants", "\n// \\\n/* Constants",
             ("goes on",)),
            ("a conditional in rules.h", headers.RULES, "\nenum", "\n#ifdef __KERNEL__\n#endif\nenum",
             ("__KERNEL__",)),
            ("a fault that is another rule's", headers.RULES, "SB_MAGIC, sb_magic)",
             "SB_MAGIC, sb_size)", ("takes sb_size for a fault of ISHARE_RULE_SB_MAGIC",)),
            ("a list of faults that does more", headers.RULES, "SB_MAGIC, sb_magic)",
             "SB_MAGIC, sb_magic) return;", ("more than rules",))):
        with tree():
            edit(path, old, new)
            refuses(name, headers.generated(), *words)
    with tree():
        edit(headers.LAYOUT, LIMIT, OTHER_LIMIT)
        refuses("what a conditional makes of the code", complaints(), "device.o",
                "uint64_t limit = 1u ;")


def test_kernel():
    """The kernel's build has a Makefile of its own."""
    with tempfile.TemporaryDirectory() as directory:
        builds.prepare_kernel(directory)
        tap.is_empty(checks.kernel(directory, PROVED), "accepts the kernel's build")
        for name, path, old, new, words in (
                ("a macro in ccflags-y", "Makefile", "ccflags-y := ",
                 "ccflags-y := -Doffset=size ", (MACRO,)),
                ("an included file in ccflags-y", "Makefile", "ccflags-y := ",
                 "ccflags-y := -include $(src)/evil.h ", ("evil.h",)),
                ("flags for one object", "Makefile", "obj-y := ",
                 "CFLAGS_device.o := -Doffset=size\nobj-y := ", ("neither ccflags-y nor",)),
                ("a list of objects without one", "Makefile", "$(wildcard $(src)/core/*.c)",
                 "$(wildcard $(src)/core/[!d]*.c)", ("does not compile ref/core/device.c",)),
                ("another copy of a file", "core/device.c", "return", "return !", ("return !",)),
                ("other code for the kernel", "core/device.c", "\treturn",
                 "#ifdef __KERNEL__\n\treturn 0;\n#endif\n\treturn", ("return 0",))):
            path = f"{directory}/{path}"
            write(f"{directory}/evil.h", "int evil;\n")
            before = read(path)
            edit(path, old, new)
            refuses(f"{name} of the kernel", checks.kernel(directory, PROVED), *words)
            write(path, before)


# ---- Contracts that say less ----

def test_contracts():
    """Requirements and results."""
    with tree():
        tap.is_empty([*promises.requires(), *promises.results(), *promises.decoders()],
                     "accepts the core's contracts")
    for name, path, old, new, gate, words in (
            ("a requirement that excludes a case", "ref/core/fingerprint.h",
             "    terminates", "    requires easy: \\true && 0 < 1;\n    terminates",
             promises.requires, ("requires `easy", "--record-requires")),
            ("a requirement that is gone", "ref/core/bytes.h",
             "requires range: value <= 0xffff;", "", promises.requires,
             ("ishare_put_le16() no longer requires `range",)),
            ("a verdict that may be either", "ref/core/chunk.h", "\n#endif\n",
             "/*@ terminates \\true;\n    exits \\false;\n    assigns \\nothing;\n    ensures "
             "meaning: \\result == true || \\result == false; */\nbool weak(uint32_t n);\n\n#endif\n",
             promises.results, ("weak() is a verdict",)),
            ("a verdict by cases", "ref/core/bytes.h", "\\result <==> all_zero(p, n)",
             "\\result <==> n == 0 ? all_zero(p, n) : \\true", promises.results,
             ("ishare_all_zero() is a verdict",)),
            ("a verdict about itself", "ref/core/bytes.h", "\\result <==> all_zero(p, n)",
             "\\result <==> all_zero(p, n) || \\result", promises.results,
             ("ishare_all_zero() is a verdict",)),
            ("a value in a range", "ref/core/bytes.h", "ensures value: \\result == le16(p);", "",
             promises.results, ("ishare_le16() is a value",)),
            ("a value of its own", "ref/core/bytes.h", "\\result == le32(p)",
             "\\result == p[0] * (1 + 0)", promises.results, ("ishare_le32() is a value",)),
            ("a status that is not told", "ref/core/prefix.h",
             "ensures ok: \\result == ISHARE_OK <==> count != 0 && prefix_sound(table, 0);", "",
             promises.results, ("ishare_prefix_first() does not say when its result is ISHARE_OK",)),
            ("a decoder that loses a member", "ref/core/device.h", "ensures blocks: e->blocks ==",
             "ensures blocks: e->start ==", promises.decoders, ("does not say what e->blocks is",)),
            ("a generated decoder that says less", "build/spec/codec.h",
             "\\result == ISHARE_OK ==> superblock_at(v->data, s)",
             "\\result == ISHARE_OK ==> s->magic == le32(v->data)", promises.decoders,
             ("ishare_superblock_decode() does not ensure `",)),
            ("an encoder that loses a member", "build/spec/codec.h",
             "ensures magic: s->magic == le32(p + ISHARE_SUPERBLOCK_MAGIC_OFFSET);",
             "ensures magic: 0 <= le32(p);", promises.decoders, ("does not say what s->magic is",)),
            ("a predicate that loses a member", "build/spec/spec.acsl.h",
             "p->infix == p->pos + ISHARE_PREFIX_RECORD_SIZE &&", "", promises.decoders,
             ("does not say what p->infix is",)),
            ("a predicate that loses the structure on disk", "build/spec/spec.acsl.h",
             "prefix_record_at(table->data + p->pos, &p->stored) &&", "", promises.decoders,
             ("does not say what p->stored is",))):
        with tree():
            edit(path, old, new)
            refuses(name, gate(), *words)


def test_rules():
    """The library asks the rules' own functions."""
    def unused(rule):
        plan = {made: c for made, c in builds.planned([LIBRARY]).compiled.items()
                if "/check/" in made}
        rules = [pair for pair in report.spec_rules() if pair[0] == rule]
        return callgraph.unused(rules, callgraph.of_library(plan), callgraph.of_core())

    with tree():
        tap.is_empty(unused("dev.range"), "accepts the library's calls")
        add("ref/core/device.h", "\nbool weak_range(const struct ishare_superblock *sb, const struct "
            "ishare_deviceslot *slot);\n")
        edit("ref/check/devices.c", "dev_range(", "weak_range(")
        refuses("a library that asks another function", unused("dev.range"), "dev.range",
                "dev_range()")
    refuses("a walk that is not used", callgraph.unused(
        [("dir.entry-bounds", "dir_entry_bounds")], {"f": {"ishare_dirent_first"}}, {}),
            "ishare_dirent_next()")
    core = callgraph.of_core()
    tap.is_empty(callgraph.unused([("sb.magic", "sb_magic")], {"f": {callgraph.JUDGES[0]}}, core),
                 "accepts a call of a judge that asks the rule")
    refuses("a judge that does not ask", callgraph.unused(
        [("sb.magic", "sb_magic")], {"f": {callgraph.JUDGES[0]}}, {callgraph.JUDGES[0]: {"g"}}),
            "sb_magic()")
    refuses("a judge that nobody asks", callgraph.unused([("sb.magic", "sb_magic")], {}, core),
            "sb_magic()")


os.chdir(tap.TOP)
tap.make("build/spec/.stamp")
PROVED, _ = compiled.given()
test_circles()
test_builds()
test_links()
test_headers()
test_kernel()
test_contracts()
test_rules()
tap.done()
