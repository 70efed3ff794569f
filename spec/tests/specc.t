#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The spec compiler: what it refuses, what it writes, and that vectors match their descriptions."""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import tempfile
from html.parser import HTMLParser

from erofs_ishare import tap
from erofs_ishare.files import read, read_bytes, write
from erofs_ishare.specc import editor, image, main, parse, vectors, yaml_lines

HERE = os.path.dirname(os.path.abspath(__file__))

SPECC = f"{tap.TOP}/spec/compile"
BASE = f"{HERE}/base"
CHAPTERS = sorted(f"spec/{n}" for n in os.listdir(f"{tap.TOP}/spec") if re.match(r"\d\d-.*\.md", n))
GOOD = read(f"{HERE}/good.md")

MAGIC_YAML = '''kernel: {mount: EINVAL, since: "5.4"}
also: [sb.block-size]
'''
MAGIC_HOLDS = "    - {magic: SUPERBLOCK_MAGIC}\n"
MAGIC_ACSL = GOOD[GOOD.index("```acsl\npredicate "
                             "sb_magic"):GOOD.index("```yaml\nsubject: superblock")]
MAGIC_VECTORS = GOOD[GOOD.index("  holds:\n    - {magic"):GOOD.index("```\n\nA paragraph")]
BLOCK_SIZE = GOOD[GOOD.index("### sb.block-size"):GOOD.index("### share.test")]
SHARE = GOOD[GOOD.index("### share.test"):]

FINDINGS = "struct ishare_findings {"
NOT_STRUCTURES = ("c fence has more than structures (`struct ishare_NAME`) of numbers and "
                  "structures")

LEFT_OUT = "- `sb.magic`: of two rules, this one.\n"
CONFORMANCE = f"""
## Conformance

{LEFT_OUT}
```acsl
predicate superblock_conforms{{L}}(struct ishare_superblock *sb) = // sb_magic(sb) &&
    sb_extent(sb);
```
"""
# Two rules of severity error: one is left out, the other demanded under the name that its predicate
# applies.
CONFORMING = (
    GOOD.replace("severity: warning", "severity: error\nhides: nothing\nsharing: file")
    .replace("SHOULD be 9", "MUST be 9")
    .replace("predicate sb_block_size{L}(struct ishare_superblock *sb) = sb->blkszbits == 9;",
             "predicate sb_extent{L}(struct ishare_superblock *sb) = sb->blkszbits == 9;\n"
             "predicate sb_block_size{L}(struct ishare_superblock *sb) =\n    sb_extent(sb);")
    + CONFORMANCE)


# The second rule is judged only of what the first one holds for.
JUDGED = GOOD + """
## Conformance

```acsl
predicate good_conforms{L}(struct ishare_superblock *sb) = sb_magic(sb);
```

## Judging

```acsl
predicate found{L}(struct ishare_superblock *sb) = sb_magic(sb);
```

| Rules | Judged if |
|---|---|
| `sb.magic` | always |
| `sb.*` | `found(sb)` |
"""


def conforming(formula):
    """The chapter with another formula."""
    before, found, after = CONFORMING.rpartition("sb_extent(sb);")
    assert found
    return before + formula + after


def edited(edit):
    """Text of good.md and what to put there, for a vector with another edit."""
    return MAGIC_HOLDS, f"    - {{{edit}}}\n"


# What is refused: name, text of good.md, what stands there instead, then for each complaint a text
# whose first occurrence is in the line at fault, and the message.
REFUSED = [
    # Conformance.
    ("a rule that conformance forgets", None, CONFORMING.replace(LEFT_OUT, ""),
     ("## Conformance", "rule sb.magic has severity error, but is neither demanded nor left out "
                        "by conformance")),
    ("a rule that only a comment demands", None,
     CONFORMING.replace("    sb_extent", "    // sb_extent"),
     ("## Conformance", "rule sb.block-size has severity error, but is neither demanded nor left "
                        "out by conformance")),
    ("a predicate that is more than the one demanded", None,
     CONFORMING.replace("sb_extent(sb);", "sb_extent(sb) && \\true;", 1),
     ("## Conformance", "rule sb.block-size has severity error, but is neither demanded nor left "
                        "out by conformance"),
     ("predicate superblock_conforms", "conformance demands sb_extent, which is no rule")),
    ("a warning that conformance demands", None, CONFORMING.replace(
        "severity: error\nhides: nothing\nsharing: file\nharm: policy",
        "severity: warning\nharm: policy"),
     ("### sb.block-size", "rule sb.block-size has severity warning, but is demanded by "
                           "conformance, at "
      "good.md:{## Conformance}")),
    ("a rule left out and demanded", None, CONFORMING.replace("// sb_magic", "sb_magic"),
     ("- `sb.magic`", "conformance leaves out sb.magic, but demands it")),
    ("a rule left out that is none", None,
     CONFORMING.replace(LEFT_OUT, LEFT_OUT + "- `sb.none`: not there.\n"),
     ("- `sb.none`", "conformance leaves out sb.none, but this chapter has no such rule of "
                     "severity error")),
    ("a rule left out without a reason", None,
     CONFORMING.replace(LEFT_OUT, LEFT_OUT + "- `sb.magic`\n"),
     ("- `sb.magic`\n", "unreadable list of conformance: must be `- RULE: reason`")),
    ("a rule that conformance demands if it will", None, conforming("(sb_extent(sb) || \\true);"),
     ("predicate superblock_conforms", "conformance: superblock_conforms is no conjunction of "
                                       "rules, under a condition if "
      "need be: `(sb_extent(sb) || \\true)`")),
    ("a condition that never holds", None, conforming("\\false ==> sb_extent(sb);"),
     ("predicate superblock_conforms", "conformance: superblock_conforms is no conjunction of "
                                       "rules, under a condition if "
      "need be: `\\false`")),
    ("a formula that nothing demands", None,
     conforming("sb_extent(sb);\npredicate both_conform{L}(struct ishare_superblock *sb) = "
                "sb_extent(sb);"),
     ("predicate superblock_conforms", "conformance: superblock_conforms is not demanded by "
                                       "both_conform, the last formula")),
    ("a demand that is no rule", None, conforming("sb_extent(sb) && sb_any(sb);"),
     ("predicate superblock_conforms", "conformance demands sb_any, which is no rule")),
    ("a demand that is no rule, in the formula that has it", None,
     conforming("sb_extent(sb) && sb_any(sb);\npredicate both_conform{L}(struct ishare_superblock "
                "*sb) =\n    superblock_conforms(sb);"),
     ("predicate superblock_conforms", "conformance demands sb_any, which is no rule")),
    ("a demand of a rule without a predicate, once", None,
     conforming("sb_extent(sb) && sb_magic(sb);").replace(LEFT_OUT, "").replace(MAGIC_ACSL, ""),
     ("### sb.magic", "rule sb.magic has no acsl fence with predicate sb_magic")),
    ("conformance without a formula", None, GOOD + "\n## Conformance\n\n" + LEFT_OUT,
     ("## Conformance", "conformance without an acsl fence")),
    # Judging.
    ("a rule that is never judged", None, JUDGED.replace("| `sb.*` | `found(sb)` |\n", ""),
     ("### sb.block-size", "rule sb.block-size: no row says when it is judged, at "
                           "good.md:{## Judging}")),
    ("a row for no rule", None, JUDGED.replace("| `sb.*` |", "| `sb.*`, `sb.none` |"),
     ("| `sb.*`, `sb", "judging: no rule about bytes matches sb.none")),
    ("judging without a formula", None,
     JUDGED.replace("good_conforms", "superblock_conforms"),
     ("## Judging", "judging without good_conforms, a formula of the chapter's conformance: its "
                    "parameters are what rules are judged by")),
    ("a rule about something that is not judged", None,
     JUDGED.replace("sb_block_size{L}(struct ishare_superblock *sb)",
                    "sb_block_size{L}(struct ishare_superblock *sb, integer size)"),
     ("### sb.block-size", "rule sb.block-size is about `integer size`, which good_conforms is "
                           "not")),
    ("a condition in plain text", None, JUDGED.replace("| `found(sb)` |", "| found |"),
     ("| `sb.*` |", "unreadable table row: rules are judged `always`, without backticks, or if a "
                    "predicate in backticks holds"),
     ("### sb.block-size", "rule sb.block-size: no row says when it is judged, at "
                           "good.md:{## Judging}")),
    ("rows elsewhere", None, JUDGED.replace("## Judging", "## Judged"),
     ("| Rules | J", "table of when rules are judged outside a `## Judging` section")),
    # Rules and their yaml.
    ("unknown key", "also: [sb", "beside: [sb", ("beside:", "rule sb.magic: unknown key beside")),
    ("unknown key of kernel", "{mount: EINVAL, since", "{mount: EINVAL, until",
     ("until", "rule sb.magic: unknown key kernel.until")),
    ("unknown key of vectors", "  holds:\n", "  hold:\n",
     ("  hold:", "rule sb.magic: unknown key vectors.hold"),
     ("```yaml\nsubject: superblock", "rule sb.magic has no holds-vector")),
    ("unknown subject", "subject: superblock", "subject: inodes",
     ("subject: inodes", "rule sb.magic: subject: inodes is none of image, superblock, device, "
                         "prefix, inode, dirent, "
      "ibody, xattr, fingerprint, files, runtime")),
    ("unknown severity", "severity: error", "severity: fatal",
     ("severity: fatal", "rule sb.magic: severity: fatal is none of error, warning, note")),
    ("unknown harm", "harm: policy", "harm: none",
     ("harm: none", "rule sb.block-size: harm: none is none of memory-safety, wrong-data, "
                    "lost-sharing, policy")),
    ("unknown verdict", "verdict: malformed", "verdict: bad",
     ("verdict: bad", "rule sb.magic: verdict: bad is none of malformed, invalid")),
    ("no severity", "severity: warning\n", "",
     ("subject: superblock\nharm: policy", "rule sb.block-size: severity is missing")),
    ("a version that YAML takes for a number", 'since: "5.4"', "since: 5.4",
     ("since: 5.4", "rule sb.magic: kernel.since must be text (quote it)")),
    ("a key twice", "verdict: malformed\n", "verdict: malformed\nverdict: malformed\n",
     ("verdict: malformed\nkernel", "duplicate key verdict")),
    ("no YAML", "also: [sb.block-size]", "also: [sb.block-size",
     ("vectors:\n  holds", "not YAML: expected ',' or ']', but got ':'")),
    ("a date that is none", "also: [sb.block-size]", "also: 2026-13-01",
     ("subject: superblock\nseverity: error", "not YAML: month must be in 1..12")),
    ("yaml that is no map", "subject: runtime\nseverity: error\nharm: wrong-data\nkernel: "
                            "{behaviour: reads}\n"
     "established-by: kernel/probe\n", "- runtime\n",
     ("```yaml\n- runtime", "rule share.test: its yaml fence is not a map")),
    ("no predicate", MAGIC_ACSL, "",
     ("### sb.magic", "rule sb.magic has no acsl fence with predicate sb_magic")),
    ("a predicate of another name", "predicate sb_magic{", "predicate sb_magik{",
     ("### sb.magic", "rule sb.magic has no acsl fence with predicate sb_magic")),
    ("no paragraph", "`blkszbits` SHOULD be 9.\n\n", "",
     ("### sb.block-size", "rule sb.block-size has no normative paragraph below its heading")),
    ("two paragraphs", "SHOULD be 9.\n", "SHOULD be 9.\n\nOr not.\n",
     ("Or not.", "rule sb.block-size: only its normative paragraph may stand between heading and "
                 "yaml fence")),
    ("a list in a rule's head", "SHOULD be 9.\n", "SHOULD be 9.\n\n* or\n* not\n",
     ("* or", "rule sb.block-size: only its normative paragraph may stand between heading and "
              "yaml fence")),
    ("a paragraph without an RFC 2119 word", "SHOULD be 9", "ought to be 9",
     ("ought", "rule sb.block-size: its normative paragraph has no RFC 2119 word (MUST, SHOULD, "
               "MAY, ...)")),
    ("an error that is not demanded", "`magic` MUST", "`magic` SHOULD",
     ("severity: error", "rule sb.magic has severity error, but no MUST in its normative "
                         "paragraph")),
    ("an error about readers that is not demanded", "Readers MUST", "Readers SHOULD",
     ("last:severity: error", "rule share.test has severity error, but no MUST in its normative "
                              "paragraph")),
    ("a heading alone", SHARE, "### share.test\n",
     ("### share.test", "rule share.test has no normative paragraph below its heading"),
     ("### share.test", "rule share.test has no acsl fence with predicate share_test (a rule about "
                        "readers needs none)"),
     ("### share.test", "rule share.test has no yaml fence")),
    ("no yaml", None,
     GOOD.replace("### share.test", "### sb.new\n\n`magic` MUST be 1.\n\n```acsl\npredicate "
                  "sb_new{L}(struct ishare_superblock *sb) = \\true;\n```\n\n### share.test"),
     ("### sb.new", "rule sb.new has no yaml fence")),
    ("two yaml fences", "### share.test", "```yaml\nsubject: image\n```\n\n### share.test",
     ("```yaml\nsubject: image", "rule sb.block-size has two yaml fences")),
    ("yaml outside a rule", "## Rules\n", "## Rules\n\n```yaml\na: b\n```\n",
     ("```yaml\na: b", "yaml fence outside a rule")),
    ("no kernel consequence", 'kernel: {behaviour: "nobody cares", since: "7.0"}\n', "",
     ("```yaml\nsubject: superblock\nseverity: warning",
      "rule sb.block-size states no kernel consequence (kernel: mount, access or behaviour)")),
    ("a kernel that does nothing", 'kernel: {mount: EINVAL, since: "5.4"}',
     'sharing: unknown\nkernel: {since: "5.4"}',
     ("```yaml\nsubject: superblock\nseverity: error",
      "rule sb.magic states no kernel consequence (kernel: mount, access or behaviour)")),
    ("no holds-vector", "  holds:\n" + MAGIC_HOLDS, "",
     ("```yaml\nsubject: superblock\nseverity: error", "rule sb.magic has no holds-vector")),
    ("no fails-vector", MAGIC_VECTORS[MAGIC_VECTORS.index("  fails"):], "",
     ("```yaml\nsubject: superblock\nseverity: error", "rule sb.magic has no fails-vector")),
    ("either without a divergence", "divergence: some say this, some say that\n", "",
     ("```yaml\nsubject: superblock\nseverity: warning", "rule sb.block-size has no holds-vector"),
     ("```yaml\nsubject: superblock\nseverity: warning", "rule sb.block-size has no fails-vector"),
     ("{blkszbits: 12}", "rule sb.block-size has either-vectors, but no divergence")),
    ("a runtime rule without established-by", "established-by: kernel/probe\n", "",
     ("### share.test", "runtime rule share.test has no established-by")),
    ("a runtime rule with vectors", "established-by: kernel/probe\n",
     "established-by: kernel/probe\nvectors: {holds: [{magic: 0}]}\n",
     ("```yaml\nsubject: runtime", "runtime rule share.test cannot have vectors")),
    ("also of an unknown rule", "also: [sb.block-size]", "also: [sb.block-size, sb.none]",
     ("also: [sb.block-size, sb.none]", "also: there is no rule sb.none")),
    ("a rule at the wrong level", "### sb.block-size", "#### sb.block-size",
     ("#### sb.block-size", "rule sb.block-size needs a heading of level 3 (###)"),
     ("also: [sb", "also: there is no rule sb.block-size"),
     ("`sb.block-size` |", "scope unread: no rule about bytes matches sb.block-size"),
     ("last:```yaml\nsubject: superblock", "rule sb.magic has two yaml fences")),
    ("a name that is none", "### share.test", "### Share.Test",
     ("### Share.Test", "Share.Test is not a rule name (group.rule-name)"),
     ("```yaml\nsubject: runtime", "yaml fence outside a rule")),
    # What a violation hides, and what it does to sharing.
    ("an error that does not say what it hides", "hides: unread\n", "",
     ("```yaml\nsubject: superblock",
      "rule sb.magic does not say what a violation hides (hides: nothing, all, unread)")),
    ("a scope that is none", "hides: unread", "hides: sizes",
     ("hides: sizes", "rule sb.magic: hides: sizes is none of nothing, all, unread")),
    ("a list of scopes", "hides: unread", "hides: [all]",
     ("hides: [all]", "rule sb.magic: hides must be text")),
    ("a warning that hides something", "severity: warning", "severity: warning\nhides: all",
     ("hides: all", "rule sb.block-size: only a rule of severity error about bytes has hides")),
    ("a rule about readers that hides something", "established-by", "hides: all\nestablished-by",
     ("hides: all", "rule share.test: only a rule of severity error about bytes has hides")),
    ("an error that does not say what shares", "mount: EINVAL, since", "access: EINVAL, since",
     ("```yaml\nsubject: superblock",
      "rule sb.magic does not say what a violation does to sharing (sharing: none, file, xattr, "
      "later-xattrs, unaffected, other-content, unknown)")),
    ("another word for what shares", "mount: EINVAL, since: \"5.4\"}",
     "access: EINVAL}\nsharing: some",
     ("sharing: some", "rule sb.magic: sharing: some is none of none, file, xattr, later-xattrs, "
                       "unaffected, other-content, unknown")),
    ("sharing of what is not mounted", "also: [sb.block-size]", "sharing: file",
     ("sharing: file", "rule sb.magic: only a rule of severity error about bytes that does not "
                       "prevent the mount has sharing")),
    ("sharing of a warning", "severity: warning", "severity: warning\nsharing: file",
     ("sharing: file", "rule sb.block-size: only a rule of severity error about bytes that does "
                       "not prevent the mount has sharing")),
    ("a scope twice", "| `unread` |", "| all |",
     ("| all |", "duplicate scope all, first at good.md:{| `all`}"),
     ("hides: unread", "rule sb.magic: hides: unread is none of nothing, all, all")),
    ("a scope that is called nothing", "| `all` |", "| nothing |",
     ("| nothing |", "unreadable table row: nothing is not a scope name")),
    ("a scope without rules", "| `*` |", "| - |",
     ("| - |", "unreadable table row: rules must be patterns of rule names (`inode.*`, "
               "`dir.name`)")),
    ("a scope of rules that are not there", "`sb.mag*`", "`sb.big*`",
     ("`sb.big*`", "scope unread: no rule about bytes matches sb.big*")),
    ("a scope of rules about readers", "`sb.mag*`", "`share.*`",
     ("`share.*`", "scope unread: no rule about bytes matches share.*")),
    ("columns of scopes in another order", "| Hides | Rules |", "| Rules | Hides |",
     ("| Rules | Hides", "unreadable table: columns must be | Offset | Size | Type | Name | "
                         "Meaning | or "
      "| Name | Value | Meaning | or | Hides | Rules | Reason | or | "
      "Rules | Judged if |"),
     ("hides: unread", "rule sb.magic: hides: unread is none of nothing")),
    # Names.
    ("duplicate rule", SHARE, SHARE + "\n" + SHARE,
     ("last:### share.test", "duplicate rule share.test, first at good.md:{### share.test}")),
    ("duplicate structure", "## Rules", "## struct chunk_index\n\nSize: 1 bytes.\n\n| Offset | "
                                        "Size | Type | Name | "
     "Meaning |\n|---|---|---|---|---|\n| 0 | 1 | u8 | other | o |\n\n## Rules",
     ("## struct chunk_index\n\nSize: 1",
      "duplicate struct chunk_index, first at good.md:{## struct chunk_index}")),
    ("duplicate constant", "| DECIMAL |", "| TEXT |",
     ("| TEXT | \"", "duplicate constant TEXT, first at good.md:{| TEXT | 512}")),
    ("duplicate predicate", "predicate is_double{L}", "predicate sb_magic{L}",
     ("predicate sb_magic{L}(struct", "duplicate predicate or logic function sb_magic, first at "
      "good.md:{predicate sb_magic}")),
    ("a predicate that specc makes", "predicate is_double{L}", "predicate superblock_at{L}",
     ("predicate superblock_at", "duplicate predicate or logic function superblock_at, first at "
      "good.md:{## struct superblock}")),
    ("a logic function that specc makes", "logic integer twice(", "logic integer le16(",
     ("logic integer le16", "duplicate predicate or logic function le16, specc defines it")),
    ("duplicate field", "| startblk_lo |", "| device_id |",
     ("| 4 | 4 | le32 | device_id", "duplicate field chunk_index.device_id")),
    ("two names, one identifier", "| DECIMAL |", "| SUPERBLOCK_SIZE |",
     ("## struct superblock\n", "size of struct superblock and constant SUPERBLOCK_SIZE "
                                "both become "
      "ISHARE_SUPERBLOCK_SIZE, at good.md:{| SUPERBLOCK_SIZE}")),
    ("two rules, one identifier", "### share.test",
     BLOCK_SIZE.replace("### sb.block-size", "### sb-block.size") +
     "### share.test",
     ("### sb-block.size", "rule sb-block.size and rule sb.block-size both become "
                           "ISHARE_RULE_SB_BLOCK_SIZE, at "
      "good.md:{### sb.block-size}"),
     ("last:predicate sb_block_size",
      "duplicate predicate or logic function sb_block_size, first at good.md:{predicate "
      "sb_block_size}")),
    ("a scope's name that is none", "| `unread` |", "| `nothing-` |",
     ("| `nothing-` |", "unreadable table row: nothing- is not a scope name"),
     ("hides: unread", "rule sb.magic: hides: unread is none of nothing, all")),
    ("a scope with a name of rules.h", "| `unread` |", "| `count` |",
     ("| `count` |", "scope count and a name of rules.h both become ISHARE_SCOPE_COUNT"),
     ("hides: unread", "rule sb.magic: hides: unread is none of nothing, all, count")),
    ("a name of rules.h", "| DECIMAL |", "| ERROR |",
     ("| ERROR |", "constant ERROR and a name of rules.h both become ISHARE_ERROR")),
    # Structures and tables.
    ("a hole", "| 4 | 4 | le32 | startblk_lo", "| 5 | 4 | le32 | startblk_lo",
     ("| 5 | 4 | le32 | startblk_lo", "hole in struct chunk_index: startblk_lo is at 5, the field "
                                      "before it ends at 4"),
     ("## struct chunk_index", "struct chunk_index is said to have 8 bytes, its fields have 9")),
    ("an overlap", "| 2 | 2 | le16 | device_id", "| 1 | 2 | le16 | device_id",
     ("| 1 | 2 | le16 | device_id", "overlap in struct chunk_index: device_id is at 1, the field "
                                    "before it ends at 2"),
     ("| 4 | 4 | le32 | startblk_lo",
      "hole in struct chunk_index: startblk_lo is at 4, the field before it ends at 3")),
    ("another size", "Size: 8 bytes", "Size: 9 bytes",
     ("## struct chunk_index", "struct chunk_index is said to have 9 bytes, its fields have 8")),
    ("no size", "Size: 8 bytes.", "Eight bytes.",
     ("## struct chunk_index", "struct chunk_index states no size (`Size: N bytes`)")),
    ("no field table", GOOD[GOOD.index("| 0 | 2 | le16 | startblk_hi"):GOOD.index("## Rules")],
     "\n",
     ("## struct chunk_index", "struct chunk_index has no field table")),
    ("a field table on its own", "## struct chunk_index", "## chunks",
     ("last:| Offset", "field table outside a `## struct NAME` section")),
    ("a field's size", "| 4 | 4 | le32 | startblk_lo", "| 4 | 8 | le32 | startblk_lo",
     ("| 4 | 8 | le32 | startblk_lo", "field startblk_lo has size 8, but le32 has 4"),
     ("## struct chunk_index", "struct chunk_index is said to have 8 bytes, its fields have 4")),
    ("unknown type", "| 4 | 4 | le32 | startblk_lo", "| 4 | 4 | be32 | startblk_lo",
     ("| 4 | 4 | be32", "unreadable table row: be32 is not a type (u8, le16, le32, le64, u8[N])"),
     ("## struct chunk_index", "struct chunk_index is said to have 8 bytes, its fields have 4")),
    ("an offset that is no number", "| 4 | 4 | le32 | startblk_lo",
     "| four | 4 | le32 | startblk_lo",
     ("| four |", "unreadable table row: offset and size must be numbers"),
     ("## struct chunk_index", "struct chunk_index is said to have 8 bytes, its fields have 4")),
    ("no field name", "| startblk_lo | low", "| | low",
     ("| 4 | 4 | le32 | | low", "unreadable table row: nothing is not a field name"),
     ("## struct chunk_index", "struct chunk_index is said to have 8 bytes, its fields have 4")),
    ("a cell too few", "| 512 | a decimal number |", "| 512 |",
     ("| DECIMAL |", "unreadable table row: 2 cells, not 3")),
    ("a cell too many", "a \\| text", "a | text",
     ("| TEXT |", "unreadable table row: 4 cells, not 3")),
    ("a value that is none", "| 512 |", "| many |",
     ("| DECIMAL |", "unreadable table row: many is not a value (decimal, hexadecimal, `1 << N` or "
                     "\"text\")")),
    ("a value that C would take for octal", "| 512 |", "| 0512 |",
     ("| DECIMAL |", "unreadable table row: 0512 is not a value (decimal, hexadecimal, `1 << N` or "
                     "\"text\")")),
    ("a value of more than 64 bits", "1 << 63", "1 << 64",
     ("| WIDE |", "unreadable table row: 1 << 64 is not a value (decimal, hexadecimal, `1 << N` or "
                  "\"text\")")),
    ("a constant's name that is none", "| DECIMAL |", "| decimal |",
     ("| decimal |", "unreadable table row: decimal is not a constant name")),
    ("columns in another order", "| Name | Value | Meaning |", "| Value | Name | Meaning |",
     ("| Value | Name", "unreadable table: columns must be | Offset | Size | Type | Name | "
                        "Meaning | or "
      "| Name | Value | Meaning | or | Hides | Rules | Reason | or | "
      "Rules | Judged if |"),
     ("{magic: SUPERBLOCK_MAGIC}", "rule sb.magic: magic: SUPERBLOCK_MAGIC is not a value")),
    ("no separator row", "| Name | Value | Meaning |\n|---|---|---|\n",
     "| Name | Value | Meaning |\n",
     ("| Name | Value | Meaning |", "unreadable table: no separator row below the header"),
     ("{magic: SUPERBLOCK_MAGIC}", "rule sb.magic: magic: SUPERBLOCK_MAGIC is not a value")),
    ("an acsl fence that ends a comment", "logic integer twice", "/* so */ logic integer twice",
     ("/* so */", "acsl fence contains */")),
    # Structures in C.
    *((f"a c fence with {name}", old, new, (at, NOT_STRUCTURES)) for name, old, new, at in (
        ("a narrow member", "\tuint32_t count;", "\tuint8_t count;", FINDINGS),
        ("an array", "\tuint32_t count;", "\tuint32_t count[2];", FINDINGS),
        ("a bit-field", "\tuint32_t count;", "\tuint32_t count : 3;", FINDINGS),
        ("a ghost", " /* of records */", " //@ ghost int i;", FINDINGS),
        ("a name of others", FINDINGS, "struct findings {", "struct findings {"),
        ("a macro", "/* What is found. */", "#define FOUND 1", "#define FOUND"),
        ("a variable", "```c\n", "```c\nint x;\n", "int x;"))),
    ("a structure that a table has", FINDINGS, "struct ishare_chunk_index {",
     ("struct ishare_chunk_index {", "duplicate struct chunk_index, first at good.md:{## struct "
                                     "chunk_index}")),
    ("a structure twice", FINDINGS, "struct ishare_found {",
     ("last:struct ishare_found {", "duplicate struct found, first at good.md:{/* What is found}")),
    ("a structure in a rule", "SHOULD be 9.\n", "SHOULD be 9.\n\n```c\nstruct ishare_a {\n\t"
     "uint32_t b;\n};\n```\n",
     ("```c\nstruct ishare_a", "rule sb.block-size: structures belong before the rules")),
    # Vectors, without an image.
    ("a vector on an unknown structure", *edited("inodes(/f).i_size: 1"),
     ("inodes(/f)", "rule sb.magic: inodes(/f).i_size addresses no structure that a vector "
                    "can edit")),
    ("a vector on an unknown field", *edited("superblock.magik: 1"),
     ("magik", "rule sb.magic: superblock.magik: there is no field superblock.magik")),
    ("a vector on a structure that is not there", None,
     GOOD.replace("## struct chunk_index", "## struct chunk").replace(
         MAGIC_HOLDS, "    - {'inode(/f).chunk[0].device_id': 1}\n"),
     ("chunk[0]", "rule sb.magic: inode(/f).chunk[0].device_id: there is no struct chunk_index")),
    ("a vector with a value that is none", *edited("magic: [1]"),
     ("{magic: [1]}", "rule sb.magic: magic: [1] is not a value")),
    ("a vector with a constant that is text", *edited("magic: TEXT"),
     ("{magic: TEXT}", "rule sb.magic: magic: TEXT is not a value")),
    ("a vector with digits too few", *edited("uuid: '00'"),
     ("{uuid", "rule sb.magic: uuid: must be 32 hexadecimal digits")),
    ("a vector with an option that is none", *edited("checksum: mend"),
     ("{checksum: mend", "rule sb.magic: checksum: mend is not keep")),
    ("a vector with raw bytes that are none", *edited("raw: [{at: 1}]"),
     ("raw:", 'rule sb.magic: raw must be a list of {at: N, bytes: "hex"}')),
    ("a vector cut at nowhere", *edited("truncate: -1"),
     ("truncate:", "rule sb.magic: truncate must be a number of bytes")),
    ("a vector extended by no number", *edited("extend: far"),
     ("extend:", "rule sb.magic: extend must be a number of bytes")),
    ("a vector's also of an unknown rule", *edited("magic: 1, also: [sb.none]"),
     ("sb.none", "rule sb.magic: also: there is no rule sb.none")),
    ("a record with an unknown key", *edited("inode(/f).xattr: {insert: 0, title: x}"),
     ("{insert", "rule sb.magic: inode(/f).xattr: must be {remove: i} or {insert: i, name, "
                 "name_index, value}")),
    ("an edit of the second image", "second: {base: blob, blkszbits", "second: {base: blob, blksz",
     ("blksz:", "rule sb.magic: blksz addresses no structure that a vector can edit")),
    # Vectors, on an image.
    ("no base image", *edited("base: none"),
     ("base: none", "rule sb.magic: there is no base image BASE/none.erofs")),
    ("no such file", *edited("inode(/x).i_size: 1"),
     ("inode(/x)", "rule sb.magic: inode(/x).i_size: there is no /x")),
    ("no such entry", *edited("'inode(/g).xattr[1].e_name_len': 1"),
     ("xattr[1]", "rule sb.magic: inode(/g).xattr[1].e_name_len: there are only 1 of these")),
    ("a number that is too large", *edited("blkszbits: 256"),
     ("{blkszbits: 256", "rule sb.magic: blkszbits: 256 does not fit into 1 byte")),
    ("a text that is too long", *edited("'inode(/g).xattr[0].name': x"),
     ("xattr[0].name", "rule sb.magic: inode(/g).xattr[0].name: has 0 bytes, not 1")),
    ("no room for a record",
     *edited("inode(/g).xattr: {insert: 0, name_index: 1, name: x, value: y}"),
     ("{insert", "rule sb.magic: inode(/g).xattr: needs 70 bytes, but there is room for 64")),
    ("raw bytes past the end", *edited("raw: [{at: 2048, bytes: '00'}]"),
     ("2048", "rule sb.magic: raw: byte 2048 is past the end of the image")),
    ("a checksum that would be undone", *edited("superblock.checksum: 0"),
     ("superblock.checksum", "rule sb.magic: superblock.checksum: needs checksum: keep, or it "
                             "is undone")),
]


def line_of(text, snippet):
    """The line, from 1, in which a snippet first occurs, or with "last:" before it, last."""
    if snippet.startswith("last:"):
        return text[:text.rindex(snippet[5:])].count("\n") + 1
    return text[:text.index(snippet)].count("\n") + 1


def complaint(text, snippet, message):
    """What specc must say; {snippet} in a message stands for a line."""
    message = re.sub(r"good\.md:\{(.*?)\}$", lambda m: f"good.md:{line_of(text, m[1])}", message)
    return f"good.md:{line_of(text, snippet)}: {message}"


def write_chapter(directory, text):
    """good.md with this text."""
    write(f"{directory}/good.md", text)


def specc(directory, text, *options):
    """Run specc over one chapter with this text."""
    write_chapter(directory, text)
    return tap.run([SPECC, *options, "good.md"], cwd=directory)


def specc_here(directory, text, *options):
    """The same without a process of its own, for there are many: (status, stderr)."""
    write_chapter(directory, text)
    before, said = os.getcwd(), io.StringIO()
    os.chdir(directory)
    with contextlib.redirect_stderr(said):
        status = main.main([*options, "good.md"])
    os.chdir(before)
    return status, said.getvalue()


def test_refusals(directory):
    """Each refusal: exactly these complaints, exit status 1, nothing written."""
    for name, old, new, *expected in REFUSED:
        text = GOOD.replace(old, new, 1) if old else new
        out = f"{directory}/out"
        status, said = specc_here(directory, text, "--out", out, "--base", BASE)
        want = sorted({complaint(text, *e) for e in expected})
        got = sorted(said.replace(BASE, "BASE").splitlines())
        tap.ok(text != GOOD and got == want and status == 1 and not os.path.exists(out),
               f"refuses {name}", "said:", *got, "instead of:", *want)
        shutil.rmtree(out, ignore_errors=True)


# ---- What is written for C ----

FIELD_ROW = re.compile(r"\| (\w+) \| (\d+) \| (\S+) \| `?(\w+)`? \|")

C_PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "layout.h"
#include "rules.h"

int main(void)
{
	struct ishare_found found = { .pos = 5, .stored = { .device_id = 6 } };
	struct ishare_findings all = { .records = &found, .count = 7 };

	printf("declared|%%zu|%%u|%%u\n", all.records->pos, all.records->stored.device_id,
	       all.count);
	for (unsigned int i = 0; i < ISHARE_RULE_COUNT; i++) {
		const struct ishare_rule *r = &ishare_rules[i];
		printf("rule|%%u|%%s|%%u|%%u|%%s|%%s|%%s|%%s|%%s|%%d|%%d|%%u\n", r->id,
		       r->name, r->severity, r->harm,
		       r->subject, r->requirement, r->kernel ? r->kernel : "-",
		       r->divergence ? r->divergence : "-", r->chapter, r->malformed, r->runtime,
		       r->hides);
		printf("explain %%s\n%%s", r->name, r->explain);
	}
	for (unsigned int i = 0; i < ISHARE_SCOPE_COUNT; i++) {
		printf("scope|%%u|", i);
		for (unsigned int j = 0; j < ISHARE_RULE_COUNT; j++)
			printf("%%d", ishare_scopes[i][j]);
		printf("\n");
	}
	for (unsigned int i = 0; i < ISHARE_STRUCT_COUNT; i++)
		for (unsigned int j = 0; j < ishare_structs[i].field_count; j++) {
			const struct ishare_field *f = &ishare_structs[i].fields[j];
			printf("field|%%s|%%u|%%s|%%u|%%u|%%s|%%s\n", ishare_structs[i].name,
			       ishare_structs[i].size, f->name, f->offset, f->size, f->type,
			       f->meaning);
		}
%s	return 0;
}
"""


def stated_fields():
    """(structure, offset, size, type, name) of every field in good.md, read in another way than
    specc does."""
    struct = None
    for line in GOOD.splitlines():
        heading = re.match(r"## struct (\w+)", line)
        struct = heading[1] if heading else struct
        row = FIELD_ROW.match(line)
        if row:
            yield struct, int(row[1], 0), int(row[2]), row[3], row[4]


def test_c(directory, out):
    """The headers say what the tables say, to two compilers without a warning."""
    checks = ""
    for struct, offset, size, kind, name in stated_fields():
        macro = f"ISHARE_{struct}_{name}".upper()
        checks += f'\tprintf("macro|{struct}|{name}|%u|%u\\n", {macro}_OFFSET, {macro}_WIDTH);\n'
        if not kind.startswith("u8["):
            checks += (f'\tprintf("member|{struct}|{name}|%zu\\n", '
                       f"sizeof(((struct ishare_{struct} *)0)->{name}));\n")
    for name in ("SUPERBLOCK_MAGIC", "DECIMAL", "SHIFTED", "WIDE"):
        checks += f'\tprintf("constant|{name}|%llu\\n", (unsigned long long)ISHARE_{name});\n'
    checks += '\tprintf("text|%s\\n", ISHARE_TEXT);\n'
    write(f"{directory}/check.c", C_PROGRAM % checks)
    for compiler in ("gcc", "clang"):
        made = tap.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror",
                        "-Wno-overlength-strings", "-Wpedantic",
                        f"-I{out}", "-Iref/core", f"{out}/rules.c", f"{out}/codec.c",
                        f"{directory}/check.c", "-o", f"{directory}/check"])
        tap.ok(made.returncode == 0, f"{compiler} has nothing to say about what is generated",
               made.stderr)
    check_c_output(tap.run([f"{directory}/check"]).stdout.splitlines())


def check_c_output(lines):
    """Compares the program's output with the chapter."""
    want = [f"macro|{s}|{n}|{o}|{w}" for s, o, w, _, n in stated_fields()]
    tap.ok(len(want) > 30 and [x for x in lines if x.startswith("macro|")] == want,
           "offsets and widths", *lines)
    want = [f"member|{s}|{n}|{8 if t == 'le64' else 4}" for s, _, _, t, n in stated_fields()
            if not t.startswith("u8[")]
    tap.ok([x for x in lines if x.startswith("member|")] == want,
           "members of the decoded structures")
    tap.ok("declared|5|6|7" in lines, "structures that contain these")
    want = ["constant|SUPERBLOCK_MAGIC|3774210530", "constant|DECIMAL|512", "constant|SHIFTED|32",
            "constant|WIDE|9223372036854775808"]
    tap.ok([x for x in lines if x.startswith("constant|")] == want and "text|sha256:" in lines,
           "constants")
    fields = [x.split("|") for x in lines if x.startswith("field|")]
    want = [[s, n, str(o), str(w), t] for s, o, w, t, n in stated_fields()]
    tap.ok([[f[1], *f[3:7]] for f in fields] == want, "the table of structures")
    tap.ok('field|superblock|128|feature_compat|8|4|le32|a "quoted" \\ word' in lines,
           "a meaning is quoted for C")
    rules = [x[5:] for x in lines if x.startswith("rule|")]
    want = ["0|sb.magic|0|0|superblock|magic MUST be SUPERBLOCK_MAGIC; see also sb.block-size and "
            "the same.|"
            "Mount fails with EINVAL (since Linux 5.4)|-|good|1|0|2",
            "1|sb.block-size|1|3|superblock|blkszbits SHOULD be 9.|Nobody cares (since Linux 7.0)|"
            "some say this, some say that|good|0|0|0",
            "2|share.test|0|1|runtime|Readers MUST read.|Reads|-|good|0|1|0"]
    tap.ok(rules == want, "the catalogue", *rules)
    scopes = [x for x in lines if x.startswith("scope|")]
    tap.ok(scopes == ["scope|0|000", "scope|1|110", "scope|2|110"],
           "the scopes: no rule about readers", *scopes)
    explain = lines[lines.index("explain sb.magic") + 1:lines.index("rule|" + want[1])]
    text = " ".join(" ".join(explain).split())
    tap.ok(max(map(len, explain)) <= 78, "explain keeps to 78 columns", *explain)
    tap.ok(all(t in text for t in ("magic MUST be SUPERBLOCK_MAGIC",
                                   "Kernel: Mount fails with EINVAL", "- a list",
                                   "predicate sb_magic{L}(struct ishare_superblock *sb) = "
                                   "sb->magic == ISHARE_SUPERBLOCK_MAGIC;",
                                   "fails-0: plain with magic: ^0xff (another magic)",
                                   "harm: memory safety",
                                   "when it becomes part of the words")),
           "explain shows all", *explain)


JUDGES_HEADER = """
#include "layout.h"

bool sb_magic(const struct ishare_superblock *sb);
bool sb_block_size(const struct ishare_superblock *sb);
bool ishare_found(const struct ishare_superblock *sb);
"""
JUDGES_PROGRAM = """
#include <stdio.h>
#include "codec.h"
#include "core.h"
#include "rules.h"

#define SHOW(rule, member) printf("%d %s %d, ", rule, #member, faults.member);

bool sb_magic(const struct ishare_superblock *sb)
{
	return sb->magic == ISHARE_SUPERBLOCK_MAGIC;
}

bool sb_block_size(const struct ishare_superblock *sb)
{
	return sb->blkszbits == 9;
}

bool ishare_found(const struct ishare_superblock *sb)
{
	return sb_magic(sb);
}

static void judge(uint32_t magic, uint32_t blkszbits)
{
	struct ishare_superblock sb = { .magic = magic, .blkszbits = blkszbits };
	struct ishare_good_faults faults;

	ishare_good_find_faults(&sb, &faults);
	ISHARE_GOOD_FAULTS(SHOW)
	printf("%d\\n", ishare_good_faultless(&faults));
}

int main(void)
{
	judge(ISHARE_SUPERBLOCK_MAGIC, 9);
	judge(ISHARE_SUPERBLOCK_MAGIC, 8);
	judge(1, 8);
	return 0;
}
"""


def test_judges(directory):
    """Each rule is judged when the table says, and those of severity error sum up."""
    out = f"{directory}/judged"
    said = specc(directory, JUDGED, "--out", out, "--base", BASE, "--parts", "c")
    write(f"{out}/core.h", JUDGES_HEADER)
    write(f"{out}/judges.c", JUDGES_PROGRAM)
    made = tap.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{out}", "-Iref/core",
                    f"{out}/codec.c", f"{out}/judges.c", "-o", f"{out}/judges"])
    tap.ok(said.returncode == 0 and made.returncode == 0, "judges compile without a warning",
           said.stderr, made.stderr)
    lines = tap.run([f"{out}/judges"]).stdout.splitlines()
    tap.ok(lines == ["0 sb_magic 0, 1 sb_block_size 0, 1", "0 sb_magic 0, 1 sb_block_size 1, 1",
                     "0 sb_magic 1, 1 sb_block_size 0, 0"],
           "rules are judged as the table says, and errors sum up", *lines)
    frama_c_reads(directory, out, "Frama-C understands what judges find",
                  "/*@ requires good_faults(s, f) && good_faultless(f) && superblock_at(d, s); */\n"
                  "int use(const uint8_t *d, struct ishare_superblock *s, struct "
                  "ishare_good_faults *f);")


def frama_c_reads(directory, out, name, declaration):
    """One test point: Frama-C takes spec.acsl.h and what is declared with it."""
    if not shutil.which("frama-c"):
        tap.ok(True, f"{name} # SKIP frama-c is not installed")
        return
    write(f"{directory}/use.c", f'#include "spec.acsl.h"\n{declaration}\n')
    said = tap.run(["frama-c", "-no-autoload-plugins", "-c11", "-machdep", "gcc_x86_64", "-print",
                    f"-cpp-extra-args=-I{out} -I{shlex.quote(tap.TOP)}/ref/core",
                    f"{directory}/use.c"])
    tap.ok(said.returncode == 0 and "s->packed_nid" in said.stdout
           and "le64(d + 96)" in said.stdout, name, said.stdout[-2000:] + said.stderr)


def test_acsl(directory, out):
    """Frama-C reads the predicates, the generated ones among them."""
    frama_c_reads(directory, out, "Frama-C understands the predicates",
                  "/*@ requires superblock_at(d, s) && sb_magic(s) && prefix_record_at(d, p) && "
                  "is_double(d, 2); */\n"
                  "int use(const uint8_t *d, struct ishare_superblock *s, struct "
                  "ishare_prefix_record *p);")


class Pointer:
    """uint8_t * of a logic function: bytes, and a place in them."""

    def __init__(self, data, place=0):
        self.data, self.place = data, place

    def __add__(self, n):
        return Pointer(self.data, self.place + n)

    def __getitem__(self, n):
        return self.data[self.place + n]


def test_readers(out):
    """What the generated logic functions and predicates say, worked out."""
    acsl = read(f"{out}/spec.acsl.h")
    readers = re.findall(r"logic integer (le\d\d)\{L\}\(uint8_t \*p\) =\s*(.*?);", acsl)
    functions = {}
    for name, term in readers:
        functions[name] = eval(f"lambda p: {term}", functions)
    data = bytes(range(0xF1, 0xF9))
    tap.ok([functions[f"le{8 * n}"](Pointer(data)) for n in (2, 4, 8)] ==
           [int.from_bytes(data[:n], "little") for n in (2, 4, 8)],
           "le16, le32 and le64 are little-endian", readers)
    said = []
    predicate = r"predicate (\w+)_at\{L\}\(uint8_t \*d, struct ishare_\1 \*s\) =(.*?);"
    for struct, terms in re.findall(predicate, acsl, re.DOTALL):
        said += [(struct, *term.replace("s->", "").strip().split(" == "))
                 for term in terms.split("&&")]
    want = [(s, n, f"d[{o}]" if t == "u8" else f"{t}(d + {o})") for s, o, _, t, n in stated_fields()
            if not t.startswith("u8[")]
    tap.ok(said == want, "decoding predicates say what the tables say", *said)


def test_dictionary(out):
    """Each line as AFL++ wants it, the bytes as they stand in an image."""
    lines = [x for x in read(f"{out}/erofs.dict").splitlines() if not x.startswith("#")]
    tap.ok(all(re.fullmatch(r'\w+="(\\x[0-9a-f]{2})+"', x) for x in lines)
           and r'superblock_magic="\xe2\xe1\xf5\xe0"' in lines and r'decimal="\x00\x02"' in lines,
           "the dictionary", *lines)


# ---- Vectors ----

def load(name):
    """A base image of ours."""
    return read_bytes(f"{BASE}/{name}.erofs")


def build(spec, text, base="plain"):
    """The base image, or these bytes, with the edits that a line of YAML says."""
    written = yaml_lines.load(0, text, lambda _line, message: tap.ok(False, message))
    data = load(base) if isinstance(base, str) else base
    return editor.Editor(spec, data).build("good.md", written)


def difference(old, new):
    """{offset: new bytes} where two images differ, the superblock's checksum left out."""
    found, run = {}, None
    for i in range(max(len(old), len(new))):
        same = old[i:i + 1] == new[i:i + 1] or 1028 <= i < 1032
        if not same and run is None:
            run = i
        if same and run is not None:
            found[run], run = new[run:i].hex(), None
    if run is not None:
        found[run] = new[run:].hex()
    return found


# Where things are in plain.erofs and blob.erofs, as a hex dump shows them.
ROOT, D, F = 0x4C0, 0x540, 0x5A0
F_IBODY, F_OWN, F_TAIL = F + 32, 0x5FC, 0x60C
ROOT_DIRENTS, PREFIX, SHARED = ROOT + 32, 0x494, 0x480

EDITS = [
    ("plain", "{magic: 1}", {1024: "01000000"}),
    ("plain", "{magic: SHIFTED}", {1024: "20000000"}),
    ("plain", "{superblock.blkszbits: '+3'}", {1036: "0c"}),
    ("plain", "{blkszbits: '-10'}", {1036: "ff"}),
    ("plain", "{feature_compat: '^SHIFTED'}", {1032: "17"}),
    ("plain", "{feature_compat: '&0xf'}", {1032: "07"}),
    ("plain", "{feature_compat: '|0x80000000'}", {1035: "80"}),
    ("plain", "{uuid: '0102030405060708090a0b0c0d0e0f10'}",
     {1072: "0102030405060708090a0b0c0d0e0f10"}),
    ("plain", "{packed_nid: 0xffffffffffffffff}", {1120: "ff" * 8}),
    ("plain", "{sb_extslots: 1, superblock_ext.metabox_nid: 0}",
     {1037: "01", 1152: "00" * 3, 1156: "00" * 4}),
    ("plain", "{inode(/).i_size: 1}", {ROOT + 8: "01"}),
    ("plain", "{inode(/f).i_size: '+1'}", {F + 8: "03"}),
    ("plain", "{inode(/d).i_format: '^0x10', inode(/f).i_xattr_icount: 0}", {D: "14", F + 2: "00"}),
    ("plain", "{blkszbits: 0, inode(/f).i_size: 3}", {1036: "00", F + 8: "03"}),
    ("plain", "{inode(/f).ibody.h_name_filter: 0}", {F_IBODY: "00" * 4}),
    ("plain", "{'inode(/f).shared[0]': 7}", {F_IBODY + 12: "07"}),
    ("plain", "{'inode(/f).xattr[0].e_value_size': 0x127}", {F_IBODY + 19: "01"}),
    ("plain", "{'inode(/f).xattr[0].value': {hex: '53'}}", {F_IBODY + 20: "53"}),
    ("plain", "{'inode(/f).xattr[1].name': OWN}", {F_OWN + 4: "4f574e"}),
    ("plain", "{'shared_xattr[0].e_name_index': 4}", {SHARED + 1: "04"}),
    ("plain", "{'dirent(/)[3].nid': 1}", {ROOT_DIRENTS + 36: "01"}),
    ("plain", "{'dirent(/)[4].name': h}", {ROOT_DIRENTS + 0x41: "68"}),
    ("plain", "{'prefix[1].base_index': 4}", {PREFIX + 26: "04"}),
    ("plain", "{'prefix[0].infix': E}", {PREFIX + 3: "45"}),
    ("plain", "{raw: [{at: 0, bytes: '01'}, {at: 2047, bytes: '02'}]}", {0: "01", 2047: "02"}),
    ("plain", "{append: '0102'}", {2048: "0102"}),
    ("blob", "{'deviceslot[0].blocks_lo': 4}", {0x4C0: "04"}),
    ("blob", "{'inode(/f).chunk[0].device_id': 2}", {0x5E2: "02"}),
    ("blob", "{inode(/f).i_size: 0xff00000000000000}", {0x5A8: "00", 0x5AF: "ff"}),
]


def test_edits(spec):
    """Each edit changes these bytes and no others, and leaves a right checksum."""
    for base, text, want in EDITS:
        old, new = load(base), build(spec, text, base)
        tap.ok(difference(old, new) == want and checksum_is_right(new), f"edit {text}",
               difference(old, new), "instead of", want)
    plain = load("plain")
    tap.ok(build(spec, "{truncate: 1030}") == plain[:1030], "edit truncate")
    tap.ok(build(spec, "{feature_compat: '^0x2', checksum: keep}") == plain[:1032] + b"\x35"
           + plain[1033:], "checksum: keep")
    tap.ok(build(spec, "{superblock.checksum: 5, checksum: keep}")[1028:1032] == b"\5\0\0\0",
           "edit of the checksum")


def bitwise_crc32c(data):
    """CRC-32C without a table and without final inversion."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def checksum_is_right(data):
    """Whether the superblock's checksum is right, or there is none, or it has no bytes or block to
    be over."""
    bits = data[1036]
    end = max(2048, 1 << bits) if bits >= 10 else 1024 + 512
    if not data[1032] & 1 or end > len(data) or not 9 <= bits <= 16:
        return True
    covered = data[1024:1028] + bytes(4) + data[1032:end]
    covered = b"\xe2\xe1\xf5\xe0" + covered[4:]  # the magic is taken as right
    return bitwise_crc32c(covered) == int.from_bytes(data[1028:1032], "little")


def entries_of(data, path):
    """(index, name, value) of an inode's inline xattrs, and its inline data."""
    found = image.Image(bytearray(data))
    inode = found.inode(path)
    start, size = found.tail(inode)
    return [(e.name_index, e.name, e.value) for e in found.entries(inode)], data[start:start + size]


def test_records(spec):
    """Insertion and removal keep the rest as it was."""
    fingerprint, own = entries_of(load("plain"), "/f")[0]
    new = build(spec, "{inode(/f).xattr: {insert: 1, name_index: 4, name: n, value: {hex: "
                      "'0001'}}}")
    tap.ok(entries_of(new, "/f") == ([fingerprint, (4, b"n", b"\0\1"), own], b"f\n"),
           "insert an xattr")
    tap.ok(entries_of(new, "/g") == entries_of(load("plain"), "/g"), "the next inode is as it was")
    new = build(spec, "{inode(/f).xattr: {remove: 0}}")
    tap.ok(entries_of(new, "/f") == ([own], b"f\n") and entries_of(new, "/g")[1] == b"g\n",
           "remove an xattr")
    new = build(spec, "{inode(/f).xattr: {remove: 1}, 'inode(/f).xattr[0].e_name_len': 3}")
    tap.ok(new[F_IBODY + 16] == 3, "an edit after a removal")
    used = bytearray(load("plain"))
    used[F_TAIL + 8] = 1  # something that nobody knows, where the tail would have to go
    try:
        build(spec, "{inode(/f).xattr: {insert: 0, name_index: 1, name: n, value: v}}", used)
        tap.ok(False, "what nobody knows is not written over")
    except image.Unreachable as error:
        tap.ok("there is room for" in str(error), "what nobody knows is not written over", error)
    names = [p.infix for p in image.Image(build(spec, "{prefix: {remove: 0}}")).prefixes()]
    tap.ok(names == [b"overlay."], "remove a prefix", names)
    text = "{prefix: {insert: 1, base_index: 1, infix: ab}, 'prefix[2].base_index': 6}"
    found = [(p.base_index, p.infix) for p in image.Image(build(spec, text)).prefixes()]
    tap.ok(found == [(0, b"erofs.fingerprint.v1"), (1, b"ab"), (6, b"overlay.")],
           "insert a prefix", found)


def test_manifest(out):
    """The manifest says what is there, and what to expect."""
    manifest = json.loads(read(f"{out}/vectors/manifest.json"))
    files = {f"{v['file']}" for v in manifest} | {v["second"] for v in manifest if "second" in v}
    there = {os.path.relpath(os.path.join(d, n), f"{out}/vectors")
             for d, _, names in os.walk(f"{out}/vectors")
             for n in names if n.endswith(".erofs")}
    tap.ok(files == there and len(manifest) == 4, "the manifest lists the images", files ^ there)
    fails = [v for v in manifest if v["file"] == "sb.magic/fails-0.erofs"][0]
    want = {"rule": "sb.magic", "kind": "fails", "base": "plain", "edits": {"magic": "^0xff"},
            "expect": ["sb.magic"],
            "also": ["sb.block-size"], "verdict": "malformed", "why": "another magic",
            "devices": [], "digests": True}
    tap.ok({k: fails[k] for k in want} == want, "a line of the manifest", fails)
    vector = f"{out}/vectors/sb.magic"
    tap.ok(difference(load("plain"), read_bytes(f"{vector}/fails-0.erofs")) == {1024: "1d"},
           "a vector's image")
    tap.ok(read_bytes(f"{vector}/fails-1.second.erofs") == load("blob"),
           "a vector's second image")


def test_sweep(spec, directory, out):
    """The sweep changes every field in every way that makes a difference, and mends what it
    should."""
    changes = json.loads(read(f"{out}/vectors/manifest-sweep.json"))
    tap.ok(changes == vectors.sweep(spec, BASE), "manifest-sweep.json describes the sweep")
    wrong = [c for c, data in vectors.sweep_images(spec, BASE)
             if not swept_as_said(c, data) or (c["mend_checksum"] and not checksum_is_right(data))]
    tap.is_empty(wrong, "each image of the sweep differs in one field")
    where = {re.sub(r"\(.*?\)|\[\d+\]", "", c["where"]) for c in changes}
    tap.ok(where == {"superblock", "deviceslot", "prefix", "shared_xattr", "inode", "inode.ibody",
                     "inode.xattr",
                     "inode.chunk", "dirent"}, "every kind of structure is swept", where)
    verbs = {c["verb"]: c["bytes"] for c in changes
             if (c["base"], c["where"], c["field"]) == ("plain", "superblock", "magic")}
    tap.ok(verbs == {"zero": "00000000", "ones": "ffffffff", "plus-1": "e3e1f5e0",
                     "minus-1": "e1e1f5e0",
                     "top-bit": "e2e1f560", "mid-bit": "e2e1f4e0", "swapped": "e0f5e1e2"},
           "the ways to change a field; those that come to the same are one", verbs)
    said = specc(directory, GOOD, "--sweep", f"{directory}/sweep", "--base", BASE)
    count = sum(len(names) for _, _, names in os.walk(f"{directory}/sweep"))
    tap.ok(said.returncode == 0 and count == len(changes), "--sweep writes them all",
           said.stderr, count)


def swept_as_said(change, data):
    """Whether an image is its base but for the field that the change names."""
    old, start = load(change["base"]), change["at"]
    new = bytes.fromhex(change["bytes"])
    rest = difference(old, data[:start] + old[start:start + len(new)] + data[start + len(new):])
    return data[start:start + len(new)] == new != old[start:start + len(new)] and not rest


# ---- The page, the table, and running it ----

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Looks for what a page must not have."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.wrong = [], [], [], []
        self.feed(text)
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]
        self.wrong += sorted({f"anchor {i} twice" for i in self.ids if self.ids.count(i) > 1})
        self.wrong += [f"link to nowhere: {x}" for x in self.links if x.startswith("#")
                       and x[1:] not in self.ids]

    def handle_starttag(self, tag, attrs):
        """Open elements, anchors, links."""
        attributes = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe") or "src" in attributes:
            self.wrong.append(f"<{tag}> loads something")
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes.get("href", ""))

    def handle_endtag(self, tag):
        """Elements close in the order in which they were opened."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def test_page(out):
    """The page holds together and links what it names."""
    html = read(f"{out}/spec.html")
    page = Page(html)
    tap.is_empty(page.wrong, "the page is sound and loads nothing")
    tap.ok({"sb.magic", "sb.block-size", "share.test"} <= set(page.ids), "each rule has an anchor")
    rule = html[html.index('id="sb.magic"'):html.index('id="sb.block-size"')]
    tap.ok('<a href="#sb.block-size"><code>sb.block-size</code></a> and <a '
           'href="#sb.block-size">the same</a>' in rule,
           "rule names are links, and so are a forge's links to headings", rule)
    tap.ok(all(t in rule for t in ("memory safety", "malformed", "predicate sb_magic",
                                   "Mount fails with EINVAL",
                                   "1 hold, 2 fail")), "a rule shows all it has", rule)
    tap.ok("prefers-color-scheme: dark" in html and '<div class="table wide">' in html
           and "width=device-width" in html, "fit for the dark and for a phone")


def test_proofs(directory):
    """The page has the figures of the proofs: of rules, of other functions, and of which commit."""
    def figures(goals):
        return {"goals": goals, "qed": goals - 1, "cvc5": 1, "smoke": 2, "seconds": 0.25}
    rule, other = {"file": "a.c", "function": "sb_magic"}, {"file": "b.c", "function": "sum"}
    report = {"commit": "c0ffee", "versions": {"cvc5": "1.0"}, "machdeps": ["m", "n"],
              "assumptions": ["All is well"],
              "totals": {"functions": 2, **figures(20)},
              "rules": [{"rule": "sb.magic", **rule, **figures(12)}],
              "functions": [{**rule, "machdeps": {"m": figures(6), "n": figures(6)}},
                            {**other, "machdeps": {"m": figures(7), "n": figures(8)}}]}
    with open(f"{directory}/report.json", "w", encoding="utf-8") as out:
        json.dump(report, out)
    said = specc(directory, GOOD, "--out", f"{directory}/proved", "--base", BASE, "--proofs",
                 f"{directory}/report.json")
    html = read(f"{directory}/proved/spec.html")
    rows = [re.findall(r"<td>(.*?)</td>", row)
            for row in re.findall(r"<tr>(.*?)</tr>", html[html.index('id="proofs"'):])
            if "<td>" in row]
    wanted = [['<a href="#sb.magic"><code>sb.magic</code></a>', "12", "11", "1", "2", "0.25",
               "<code>a.c: sb_magic()</code>"],
              ["<code>b.c</code>", "15", "13", "2", "4", "0.50", "<code>b.c: sum()</code>"]]
    tap.ok(said.returncode == 0 and rows == wanted,
           "the page has the proofs of rules and of other functions", said.stderr, *rows)
    tap.ok("c0ffee" in html and "All is well" in html and not Page(html).wrong,
           "and says what they stand on")


FINDING = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0 -->

# A title

What `it` is,
in short.

- Rule: [sb.magic](elsewhere)
- Harm: wrong-data, without
  an error
- Advisory: linux-6.12, linux-7.3, small-blocks: reads "wrong" data
  with `inode_share`

## More

- Advisory: this is no part of the head
"""


def test_advisories(directory):
    """What findings say to users of images, and heads that cannot be read."""
    os.makedirs(f"{directory}/findings/some-bug")
    os.makedirs(f"{directory}/findings/silent")
    write(f"{directory}/findings/silent/README.md", FINDING.replace("- Advisory: linux", "- Or: x"))
    write(f"{directory}/findings/README.md", "A list.\n")
    given = ("--out", f"{directory}/advised", "--base", BASE, "--findings",
             f"{directory}/findings")

    def advise(old="", new=""):
        write(f"{directory}/findings/some-bug/README.md", FINDING.replace(old, new, 1))
        return specc(directory, GOOD, *given)
    said = advise()
    text = read(f"{directory}/advised/rules.c")
    table = text[text.index("ishare_advisories[] = {"):]
    tap.ok(said.returncode == 0 and table.count(".name = ") == 2, "one advisory, and the end",
           said.stderr, table)
    for wanted in ('.name = "some-bug"', ".harm = ISHARE_HARM_WRONG_DATA",
                   ".images = ISHARE_IMAGES_SMALL_BLOCKS", '"linux-6.12", "linux-7.3", NULL',
                   r'.says = "reads \"wrong\" data with inode_share"', '"some-bug: A title\\n"',
                   '"What it is, in short.\\n"', '"Rule: sb.magic\\n"',
                   '"Harm: wrong-data, without an error\\n"'):
        tap.ok(wanted in table, f"an advisory has {wanted}", table)
    tap.ok("Advisory" not in table, "what is said elsewhere is not repeated", table)
    page, line = f"{directory}/findings/some-bug/README.md", 1 + FINDING[:FINDING.index(
        "- Advisory")].count("\n")
    for name, edit, expected in (
            ("without kernels", ("linux-6.12, linux-7.3, ", ""),
             "an advisory is KERNEL, CONDITION: WHAT IT DOES"),
            ("that says nothing", (': reads "wrong" data\n  with `inode_share`', ":"),
             "an advisory is KERNEL, CONDITION: WHAT IT DOES"),
            ("on unknown images", ("small-blocks", "big-blocks"),
             "no condition 'big-blocks'; there are shared, small-blocks, metabox, huge-files"),
            ("without a harm", ("wrong-data", "harmless"),
             "a finding with an advisory needs a harm, one of memory-safety, wrong-data, "
             "lost-sharing, policy")):
        said = advise(*edit)
        tap.ok(said.returncode == 1 and said.stderr == f"{page}:{line}: {expected}\n",
               f"refuses an advisory {name}", said.returncode, said.stderr)


def test_obligations(directory):
    """What a rule lacks in the sources is named: a declaration is no function, a definition no
    call."""
    core = f"{directory}/core"
    os.mkdir(core)
    write(f"{core}/a.h", BOTH_H)
    said = specc(directory, GOOD, "--obligations", "--core", core)
    want = complaint(GOOD, "### sb.magic", "rule sb.magic has no function: define bool sb_magic() "
                                           f"in {core}")
    tap.ok(said.returncode == 1 and said.stderr == f"{want}\n",
           "refuses a rule without its function", said.stderr, want)
    rows = [" ".join(x.split()) for x in said.stdout.splitlines()]
    want = ["sb.magic superblock error yes no 1 2 0 unread - "
            "Mount fails with EINVAL (since Linux 5.4)",
            "sb.block-size superblock warning yes yes 0 0 1 - - Nobody cares (since Linux 7.0)",
            "share.test runtime error - - - - - - - test: kernel/probe",
            "3 rules (1 about readers), 4 vectors"]
    tap.ok(rows[1:] == want, "the table of what each rule needs", *rows)
    test_sources(directory)


MAGIC_C = "bool sb_magic(int a)\n{\n\treturn a;\n}\n"
BLOCK_SIZE_H = ("/*@ ensures meaning: \\result <==>\n      sb_block_size(a, b); */\n"
                "static inline bool sb_block_size(int a,\n\t\t\t\t int b)\n{\n}\n")
MAGIC_H = ("/*@ assigns \\nothing;\n    ensures meaning: \\result <==> sb_magic(a); */\n"
           "bool sb_magic(int a);\n")
BOTH_H = BLOCK_SIZE_H + MAGIC_H
CALL_C = "bool all(void)\n{\n\treturn sb_block_size(1, 2) && not_sb_magic(1);\n}\n"
REPORTS_C = "report(ISHARE_RULE_SB_BLOCK_SIZE, ISHARE_RULE_COUNT);\n"


def test_sources(directory):
    """What a rule lacks in the core or in the judges is named, and what is there without a rule."""
    core, judges = f"{directory}/core", f"{directory}/judges"
    all_demanded = CONFORMING.replace("// sb_magic(sb)", "sb_magic(sb)").replace(LEFT_OUT, "")
    for name, text, c, h, judge, snippet, message in (
            ("a rule that no header declares", GOOD, MAGIC_C, BLOCK_SIZE_H, "", "### sb.magic",
             f"rule sb.magic: no header in {core} declares bool sb_magic()"),
            *((f"a rule whose function {what}", GOOD, MAGIC_C, BLOCK_SIZE_H + h, "", None,
               f"{core}/a.h:{BOTH_H.count(chr(10)) - less}: rule sb.magic: the contract of "
               "sb_magic() does not say `ensures meaning: \\result <==> sb_magic(...)`")
              for what, less, h in (
                  ("ensures nothing", 0, MAGIC_H.replace("<==> sb_magic(a)", "<==> \\true")),
                  ("ensures more", 0, MAGIC_H.replace("(a);", "(a) || a;")),
                  ("is one way only", 0, MAGIC_H.replace("<==>", "==>")),
                  ("ensures it in a comment", 0, MAGIC_H.replace("ensures", "// ensures")),
                  ("has no contract", 2, "bool sb_magic(int a);\n"))),
            ("a rule that conformance demands and nothing calls", all_demanded, MAGIC_C + CALL_C,
             BOTH_H, "", "### sb.magic", f"rule sb.magic: conformance demands it, but nothing in "
             f"{core} calls sb_magic(): call it where its chapter's formula is decided"),
            ("a rule that no judge reports", GOOD, MAGIC_C, BOTH_H, REPORTS_C, "### sb.magic",
             "rule sb.magic is never reported: call sb_magic() and report ISHARE_RULE_SB_MAGIC in "
             f"{judges}"),
            ("a report of what is no rule", GOOD, MAGIC_C, BOTH_H,
             REPORTS_C + "report(ISHARE_RULE_SB_MAGIC, ISHARE_RULE_SB_MAGICK)", None,
             f"{judges}/b.c:2: ISHARE_RULE_SB_MAGICK: there is no such rule: write its section in "
             "the specification")):
        for path, source in ("core/a.c", c), ("core/a.h", h), ("judges/b.c", judge):
            os.makedirs(os.path.dirname(f"{directory}/{path}"), exist_ok=True)
            write(f"{directory}/{path}", source)
        options = ["--judges", judges] if judge else []
        said = specc(directory, text, "--core", core, *options)
        want = f"{complaint(text, snippet, message) if snippet else message}\n"
        tap.ok(said.returncode == 1 and said.stderr == want, f"refuses {name}", said.stderr, want)


def tree(directory):
    """{name: bytes} of all files below a directory."""
    found = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, directory)] = read_bytes(path)
    return found


def test_runs(directory, out):
    """The same again is the same; what is no more in the spec is no more in the vectors."""
    again = f"{directory}/again"
    os.environ["PYTHONHASHSEED"] = "7"
    specc(directory, GOOD, "--out", again, "--base", BASE)
    del os.environ["PYTHONHASHSEED"]
    tap.ok(tree(out) == tree(again) and len(tree(out)) > 8, "two runs write the same")
    before = os.stat(f"{again}/layout.h").st_mtime_ns
    specc(directory,
          GOOD.replace("    - {superblock.magic: 0, second: {base: blob, blkszbits: 9}}\n", ""),
          "--out", again, "--base", BASE)
    tap.ok("vectors/sb.magic/fails-1.erofs" not in tree(again)
           and "vectors/sb.magic/fails-0.erofs" in tree(again),
           "images of vectors that are gone are removed")
    tap.ok(os.stat(f"{again}/layout.h").st_mtime_ns == before,
           "a file that would not change keeps its time")
    tap.is_empty([n for n in tree(again) if n.endswith(".tmp")], "no temporary file is left")
    said = specc(directory, GOOD, "--out", f"{directory}/c", "--parts", "c")
    tap.ok(said.returncode == 0 and set(tree(f"{directory}/c")) ==
           {"layout.h", "spec.acsl.h", "codec.h", "codec.c", "rules.h", "rules.c", "erofs.dict"},
           "--parts c writes what C needs")
    said = specc(directory, GOOD, "--out", f"{directory}/c", "--parts", "d")
    tap.ok(said.returncode == 2 and "d is none of c, html, vectors" in said.stderr,
           "--parts d is refused", said.stderr)


def test_specification(directory):
    """The real chapters."""
    out = f"{directory}/spec"
    said = tap.run([SPECC, "--out", out, "--core", "ref/core", *CHAPTERS])
    if not tap.ok(said.returncode == 0 and not said.stderr, "the specification compiles",
                  said.stderr):
        return
    tap.is_empty(Page(read(f"{out}/spec.html")).wrong, "its page is sound and loads nothing")
    frama_c_reads(directory, out, "Frama-C understands its predicates", "")
    manifest = json.loads(read(f"{out}/vectors/manifest.json"))
    images = tree(f"{out}/vectors")
    wrong = [v["file"] for v in manifest if "keep" != v["edits"].get("checksum")
             and len(images[v["file"]]) > 1152 and not checksum_is_right(images[v["file"]])]
    tap.is_empty(wrong, "its vectors have right checksums, unless they are told to keep a "
                        "wrong one")
    wrong = [v["file"] for v in manifest if v["kind"] == "fails" and "second" not in v
             and images[v["file"]] == vectors.Bases(f"{tap.TOP}/spec/base").read(v["base"])
             and any(w["kind"] == "holds" and w["base"] == v["base"] and w["rule"] == v["rule"]
                     and images[w["file"]] == images[v["file"]] for w in manifest)]
    tap.is_empty(wrong, "no image both holds and fails a rule")


with tempfile.TemporaryDirectory() as scratch:
    test_refusals(scratch)
    OUT = f"{scratch}/good"
    good = specc(scratch, GOOD, "--out", OUT, "--base", BASE)
    tap.ok(good.returncode == 0 and not good.stdout + good.stderr, "accepts a good chapter",
           good.stderr)
    conforming = specc(scratch, CONFORMING, "--out", f"{scratch}/conforming", "--base", BASE)
    tap.ok(conforming.returncode == 0 and not conforming.stderr, "accepts conformance",
           conforming.stderr)
    write_chapter(scratch, GOOD)
    GOOD_SPEC, _ = parse.parse([f"{scratch}/good.md"])
    test_c(scratch, OUT)
    test_acsl(scratch, OUT)
    test_judges(scratch)
    test_readers(OUT)
    test_dictionary(OUT)
    test_edits(GOOD_SPEC)
    test_records(GOOD_SPEC)
    test_manifest(OUT)
    test_sweep(GOOD_SPEC, scratch, OUT)
    test_page(OUT)
    test_proofs(scratch)
    test_advisories(scratch)
    test_obligations(scratch)
    test_runs(scratch, OUT)
    test_specification(scratch)
tap.done()
