#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""Hostile names: every format stays well-formed, and its parser recovers the bytes of each name.

Names are bytes with a length. Each of NAMES is the name of a directory entry and of an xattr in an
image of its own.
"""

import collections
import json
import os
import re
import tempfile
import unicodedata

import jsonschema
import yaml

from erofs_ishare import images, tap
from erofs_ishare.files import read, write
from erofs_ishare.images import (COMPRESSED, DIRECTORY, FLAT_INLINE, FLAT_PLAIN, PREFIX_RECORD,
                                 REGULAR, xattr)

NAMES = [
    # the bytes themselves: cut at a NUL, taken for a path
    b"\0", b"\0f", b"f\0", b"f\0g", b"f/g", b"/",
    # control characters, and texts that look like their escapes
    b"\x1b", rb"\x1b", rb"\\x1b", b"\\\x1b", b"\x1b[2J", b"\xc2\x85", b"\xc2\x9b31m", b"\x7f",
    b"\\", b"a\\", b"\x01" * 255,
    # no UTF-8: alone, cut short, overlong, surrogates, beyond Unicode
    b"\xff\xfe", b"\xc3", b"\xe2\x80", b"\xc0\x80", b"\xc1\x9b", b"\xe0\x9f\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xc3\xa4\xc3", b"\x80",
    # invisible, reordering and unassigned characters
    *(text.encode() for text in (
        "\u200f\u200b\u061c", "\ufffe\uffff", "\ufeffbom", "\u202eevil", "\u2066x\u2069",
        "\U000e0041\U000e0042",
        "\xad\u180e", "\u2028\u2029", "\u115f\u1160\u3164\uffa0", "\u034f\u17b4\u17b5",
        "g\ufe0fh\U000e0100",
        "\U0010ffff\ufdd0\ue000", "\u0378", "\u2065", "\ufff0")),
    # what formats, shells of CI systems and viewers take for their own
    b"a\n::error::x", b"a\r\nnot ok 1", b"# TODO x", b"#", b"\\#", b"ok 1 - y # SKIP",
    b"'\"<&>]]>", b"''",
    b"[click](https://evil.example/)", b"[a\\](1)", b"\\[a](1)", b"]\\(", b"{0} {1}", b"{{0}}",
    b"}{", b"%s%n", b"...",
    b"  ---", b"  ...", b"-- ", b" ", b"- x: &a *a", b"!!python/object:os.system", b"a: b", b"\t",
    # ordinary names, which stay as they are
    b"f", "\xe4\u4e2d\u6587\U0001f600".encode(), b"C" * 255,
]

FINGERPRINT = b"sha256:" + bytes(32)


# ---- Images ----

def padded(data, size):
    """data and zeros up to a multiple of size."""
    return data + bytes(-len(data) % size)


def inode(mode, size, layout, block=0, xattrs=b""):
    """A compact inode with its xattrs."""
    area, icount = images.xattr_area(xattrs) if xattrs else (b"", 0)
    return images.inode(mode, size, block, layout, icount) + area


def image(path, entries, child):
    """Writes an image of blocks of 4 KiB, whose root directory has the entries, in this order, and
    a last one.

    A name ends before a NUL where it is the last of its block, and nowhere else. Nid 36 is the root
    directory, 37 the last entry's file, and 38 the child.
    """
    directory = images.dirent_block([(name, nid, None) for name, nid in [*entries, (b"~", 37)]])
    superblock = images.superblock(
        feature_compat=images.ISHARE_XATTRS | images.PLAIN_XATTR_PFX,
        feature_incompat=images.LZ4_0PADDING | images.XATTR_PREFIXES, blkszbits=12,
        rootnid_2b=36, blocks_lo=3,
        xattr_prefix_count=1, xattr_prefix_start=8192 // 4)
    inodes = inode(DIRECTORY, len(directory), FLAT_PLAIN, 1) + inode(REGULAR, 0, FLAT_PLAIN) + child
    write(path, padded(bytes(1024) + superblock + inodes, 4096) + padded(directory, 4096)
          + padded(PREFIX_RECORD, 4096))
    return path


def named(path, name, child):
    """An image with a child of that name."""
    return image(path, [(b".", 36), (b"..", 36), (name, 38)], child)


def with_names(path, name):
    """The name is that of a file and of two of its xattrs: xattr.duplicate."""
    return named(path, name, inode(REGULAR, 0, FLAT_PLAIN, 0, xattr(1, name, b"v") * 2))


def before_another(path, name):
    """The name stands before one that should come first, that of `..`: dir.name-order."""
    return image(path, [(b".", 36), (name, 38), (b"..", 36)], inode(REGULAR, 0, FLAT_PLAIN))


def unexamined(path, name):
    """The name is that of a directory that cannot be examined, as it is compressed."""
    return named(path, name, inode(DIRECTORY, 100, COMPRESSED))


def with_fingerprint(path, name, size):
    """The name is that of a file with the fingerprint that all these have, and of a size that not
    all have."""
    return named(path, name, inode(REGULAR, size, FLAT_INLINE, 0, xattr(0x80, b"", FINGERPRINT))
                 + bytes(size))


# ---- What was written, undone ----

def plain(text):
    """The bytes that an escaped text stands for."""
    assert not re.search(r"\\(?!\\|x[0-9a-f]{2})",
                         re.sub(r"\\\\", "", text)), f"not an escape: {ascii(text)}"
    return re.sub(rb"\\(\\|x..)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]),
                  text.encode())


def plain_text(message):
    """What a viewer of SARIF shows for a plain text message; one with a link or a placeholder has
    failed."""
    assert not re.search(r"\[([^\\\[\]]|\\[\\\[\]])*\]\(", message), f"a link: {ascii(message)}"
    assert re.fullmatch(r"([^\\\[\]{}]|\\[\\\[\]]|\{\{|\}\})*",
                        message), f"not escaped: {ascii(message)}"
    return re.sub(r"\\(.)|(\{)\{|(\})\}", lambda m: m[1] or m[2] or m[3], message)


def tool(*arguments):
    """Runs the program under test; its output must be UTF-8, each character of it printable."""
    done = tap.run([*tap.TOOL, *arguments], errors="strict")
    wrong = sorted({f"U+{ord(c):04X}" for c in done.stdout + done.stderr if c != "\n"
                    and is_unprintable(c)})
    assert not wrong, f"unprintable characters in {arguments[:2]}: {wrong}"
    assert done.returncode in (0, 1, 2), done.stderr
    return done.stdout


# ---- Formats: each yields (image, path, text) for what a check reports about one rule, or does not
# examine ----

def in_text(rule, *arguments):
    """The lines, whose images have no colon in their paths."""
    pattern = (r"^([^:\n]*):(.*?): error: " + re.escape(rule) + ": (.*)$" if rule
               else r"^([^:\n]*):() not examined: .* \((.*)\)$")
    for where, path, text in re.findall(pattern, tool("check", *arguments), re.M):
        yield where, path if rule else text, text


def in_json(rule, *arguments):
    for event in json.loads(tool("check", "--format=json", *arguments))["events"]:
        if event.get("rule") == rule and (rule or event["type"] == "unexamined"):
            yield event["image"], event["path"], event.get("message")


def in_sarif(rule, *arguments):
    """Results or notifications."""
    log = json.loads(tool("check", "--format=sarif", *arguments))
    problems = [str(e.message)[:300] for e in SARIF.iter_errors(log)]
    assert not problems, problems[:3]
    run = log["runs"][0]
    for result in run["results"] if rule else run["invocations"][0]["toolExecutionNotifications"]:
        if result.get("ruleId") == rule:
            where = result["locations"][0]
            yield (where["physicalLocation"]["artifactLocation"]["uri"].removeprefix("file://"),
                   where["logicalLocations"][0]["fullyQualifiedName"],
                   plain_text(result["message"]["text"]))


def in_tap(rule, *arguments):
    """Test points, and the YAML blocks below them."""
    said = tool("check", "--format=tap", *arguments)
    points, errors = tap.parse_tap(said)
    assert points and not errors, errors[:3]
    if rule:
        blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.\n", said, re.M | re.S)
        assert len(blocks) == len(re.findall("^  ---$", said,
                                             re.M)), "blocks of YAML that do not end"
        for block in map(yaml.safe_load, blocks):
            for finding in block["first"]:
                yield finding["image"], finding["path"], finding["message"]
    else:
        assert len([p for p in points if not p[0]]) == len(arguments) - 1, [
            p for p in points if not p[0]]
        for _, directive, text in points:
            assert not directive, text
            if found := re.fullmatch(r"- ([^:]*): not examined: .* \((.*)\)",
                                     re.sub(r"\\(#)", r"\1", text)):
                yield found[1], found[2], text


FORMATS = {"text": in_text, "json": in_json, "SARIF": in_sarif, "TAP": in_tap}


def differences(told, names, message=None):
    """What is wrong with [(image, path, text)]: of each image's name, the path should be it, or the
    text end in it."""
    told, wrong = list(told), []
    if sorted(where for where, _, _ in told) != sorted(names):
        wrong.append(f"{len(told)} are told, not {len(names)}")
    for where, path, text in told:
        if not message and plain(path) != b"/" + names[where]:
            wrong.append(f"{names[where]!a}: {path!a}")
        if message and plain(text) != message + names[where]:
            wrong.append(f"{names[where]!a}: {text!a}")
    return wrong


def holds(name, function, *arguments):
    """One test point: the function finds nothing wrong."""
    try:
        tap.is_empty(function(*arguments), name)
    except (AssertionError, ValueError, KeyError, yaml.YAMLError) as error:
        tap.ok(False, name, ascii(error))


# ---- Tests ----

def images_of(work, make, names):
    """{path: name} of images, each made for one name."""
    return {make(f"{work}/{make.__name__}-{i}", name): name for i, name in enumerate(names)}


def test_findings(work):
    """Paths and messages of findings."""
    names = images_of(work, with_names, NAMES)
    for form, parse in FORMATS.items():
        def told(parse=parse):
            return list(parse("xattr.duplicate", "--rule=xattr.duplicate", *names))

        holds(f"paths in {form}", lambda: differences(told(), names))
        holds(f"messages in {form}",
              lambda: differences(told(), names, b"the inode has two xattrs named user."))
        for what, index in (("paths", 1), ("messages", 2)):
            holds(f"no two {what} look the same in {form}",
                  lambda: [n for n, times in collections.Counter(t[index] for t in told()).items()
                           if times > 1])


def test_order(work):
    """A message that names another entry than its path."""
    names = images_of(work, before_another, [n for n in NAMES if n > b".."])
    for form, parse in FORMATS.items():
        holds(f"the name before a name in {form}", lambda: differences(
            parse("dir.name-order", "--rule=dir.name-order", *names), names,
            b"the name does not come after the one before it, "))


def test_unexamined(work):
    """Paths of what was not examined."""
    names = images_of(work, unexamined, NAMES)
    for form, parse in FORMATS.items():
        holds(f"not examined in {form}",
              lambda: differences(parse(None, "--rule=xattr.*", *names), names))


def test_pairs(work):
    """The other file of a pair."""
    wrong = {form: [] for form in ("text", "json", "SARIF", "TAP")}
    for i, name in enumerate(NAMES):
        first = with_fingerprint(f"{work}/pair-{i}", name, 8)
        arguments = ["--domain", "--rule=fingerprint.same-size", first,
                     with_fingerprint(f"{work}/pair-{i}b", b"f", 9)]
        told = {
            "text": re.findall(r"^  the other file: [^:]*:(.*)$", tool("check", *arguments), re.M),
            "json": [e["other_path"]
                     for e in json.loads(tool("check", "--format=json", *arguments))["events"]],
            "SARIF": [r["relatedLocations"][0]["logicalLocations"][0]["fullyQualifiedName"]
                      for r in json.loads(tool("check", "--format=sarif", *arguments))
                      ["runs"][0]["results"]],
            "TAP": [yaml.safe_load(block)["first"][0]["other_path"]
                    for block in re.findall(r"^  ---\n(.*?)^  \.\.\.\n",
                                            tool("check", "--format=tap", *arguments),
                                            re.M | re.S)],
        }
        for form, paths in told.items():
            if [plain(p) for p in paths] != [b"/" + name]:
                wrong[form].append(f"{name!a}: {paths!a}")
    for form, problems in wrong.items():
        tap.is_empty(problems, f"the other file in {form}")


def test_dump(work):
    """Paths, names and values in dumps."""
    wrong = {"text": [], "json": []}
    for i, name in enumerate(NAMES):
        path = named(f"{work}/dump-{i}", name,
                     inode(REGULAR, 0, FLAT_PLAIN, 0, xattr(1, name, name[:64])))
        told = next(i for i in json.loads(tool("dump", "--format=json", path))["inodes"]
                    if i["nid"] == 38)
        if [plain(told["path"][1:]), plain(told["xattrs"][0]["name"])] != [name] * 2:
            wrong["json"].append(f"{name!a}: {told!a}")
        text = re.findall(r"^  /(.*)\n    .* nid 38, .*\n    0x[0-9a-f]*  xattr user\.(.*) = (.*)$",
                          tool("dump", path), re.M)
        value = text[0][2] if text else ""
        shown = plain(value[1:-1]) if value[:1] == '"' else bytes.fromhex(value)
        if [plain(text[0][0]), plain(text[0][1]), shown] != [name, name,
                                                             name[:64]] if text else True:
            wrong["text"].append(f"{name!a}: {text!a}")
    for form, problems in wrong.items():
        tap.is_empty(problems, f"a dump in {form}")


def test_components(work):
    """A slash in a name is not one between names."""
    slash = named(f"{work}/slash", b"a/b", inode(REGULAR, 0, FLAT_PLAIN))
    paths = [i["path"] for i in json.loads(tool("dump", "--format=json", slash))["inodes"]]
    tap.ok(sorted(paths) == ["/", r"/a\x2fb", "/~"], "a slash inside a name is escaped in a path",
           paths)


def test_own_names(work):
    """Names from the command line: those of images and devices."""
    good = f"{tap.TOP}/tests/images/plain-512.erofs"
    names = ["\x1b", r"\x1b", r"\\x1b", "\udcff", "[a](1)", "{0}", "\u202e", "\\"]
    for what, arguments in (("an image", lambda path: [path]),
                            ("a device", lambda path: [f"--device={path}", good])):
        texts = []
        for name in names:
            path = f"{work}/none-{name}"
            done = tap.run([*tap.TOOL, "check", "--format=sarif", *arguments(path)],
                           errors="strict")
            message = json.loads(done.stdout)["runs"][0]["invocations"][0][
                "toolExecutionNotifications"][0]["message"]
            shown = plain_text(message["text"]) if what == "a device" else done.stderr
            texts += re.findall(r"none-(.*): cannot open: ", shown)
        tap.ok([plain(t) for t in texts] == [os.fsencode(n) for n in names], f"the name of {what}",
               *map(ascii, texts))


def test_catalogue():
    """The rules' own words, in SARIF and otherwise."""
    rules = json.loads(tool("rules", "--format=json"))
    log = json.loads(tool("check", "--format=sarif", f"{tap.TOP}/tests/images/plain-512.erofs"))
    holds("the catalogue in SARIF", lambda: [
        rule["name"] for rule, told in zip(rules, log["runs"][0]["tool"]["driver"]["rules"],
                                           strict=True)
        if plain_text(told["fullDescription"]["text"]) != rule["requirement"]
        or not plain_text(told["help"]["text"])])


# ---- Characters ----

# Default_Ignorable_Code_Point, as far as categories do not imply it; the property is stable.
IGNORABLE = {0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, *range(0x180b, 0x1810), 0x2065, 0x3164,
             *range(0xfe00, 0xfe10),
             0xffa0, *range(0xfff0, 0xfff9), *range(0xe0000, 0xe1000)}
INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
# those that can stand between slashes, unchanged
CODES = [c for c in range(1, 0x110000) if chr(c) not in "/\\"]
SHARE = 10000  # code points in one argument


def is_unprintable(character):
    """By Python's data."""
    return unicodedata.category(character) in INVISIBLE | {"Cn"} or ord(character) in IGNORABLE


def escaped_characters():
    """The code points that the program escapes in the names of missing files."""
    shares = [CODES[i:i + SHARE] for i in range(0, len(CODES), SHARE)]
    escaped = set()
    for some in (shares[i:i + 20] for i in range(0, len(shares), 20)):
        paths = ["".join(f"{chr(c)}/" for c in share).encode(errors="surrogatepass")
                 for share in some]
        said = tap.run([*tap.TOOL, "check", *paths], errors="strict").stderr.splitlines()
        for share, line in zip(some, said, strict=True):
            shown = line.removeprefix("erofs-ishare: ").rsplit("/: ", 1)[0].split("/")
            escaped |= {c for c, text in zip(share, shown, strict=True) if text != chr(c)}
    return escaped


def test_characters():
    """Every code point, against what Python and Perl know of Unicode."""
    escaped = escaped_characters()
    table = read(f"{tap.TOP}/ref/image/unprintable.h")
    version = re.search(r"Unicode ([0-9.]+[0-9])", table)[1]
    known = {c: unicodedata.category(chr(c)) for c in CODES}
    invisible = {c for c in CODES if known[c] in INVISIBLE or c in IGNORABLE}
    tap.is_empty([f"U+{c:04X}" for c in sorted(invisible - escaped)],
                 "nothing that is known to be invisible gets out")
    # What was assigned long ago is printable in every version.
    old = {c for c in CODES if unicodedata.ucd_3_2_0.category(chr(c))[0] in "LMNPS"}
    tap.is_empty([f"U+{c:04X}" for c in sorted(escaped & old - invisible)],
                 "letters, digits and signs stay")
    every = f"every code point is treated as Unicode {version} says"
    if unicodedata.unidata_version == version:
        tap.is_empty([f"U+{c:04X}" for c in CODES
                      if (c in escaped) != (c in invisible or known[c] == "Cn")], every)
    else:
        tap.skip(every, f"Python has Unicode {unicodedata.unidata_version}")
    made = tap.run([f"{tap.TOP}/ref/image/make-unprintable"]).stdout
    if f"after Unicode {version}:" in made:
        tap.ok(made == table, "ref/image/unprintable.h is what make-unprintable writes")
    else:
        tap.skip("ref/image/unprintable.h is what make-unprintable writes",
                 f"Perl has no Unicode {version}")


def validator():
    """The JSON schema of SARIF."""
    done = tap.run([f"{tap.TOP}/tests/tools/sarif-schema"])
    if not tap.ok(done.returncode == 0, "the SARIF schema can be had", done.stderr):
        return jsonschema.Draft4Validator({})
    return jsonschema.Draft4Validator(json.loads(read(done.stdout.strip())))


SARIF = validator()


def main():
    test_characters()
    with tempfile.TemporaryDirectory(prefix="ishare-names-") as work:
        test_findings(work)
        test_order(work)
        test_unexamined(work)
        test_pairs(work)
        test_dump(work)
        test_components(work)
        test_own_names(work)
        test_catalogue()
    tap.done()


if __name__ == "__main__":
    main()
