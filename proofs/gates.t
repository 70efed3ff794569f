#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The gates of the proofs let good contracts and logs pass and refuse bad ones. No prover is needed
for that."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
from collections import Counter
from types import SimpleNamespace
from unittest import mock

from erofs_ishare import tap
import acsl
import gates
import mutate
import touched
import wp


def program(name):
    """A program of this folder as a module."""
    loader = importlib.machinery.SourceFileLoader(name, f"{tap.TOP}/proofs/{name}")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


mutants_program, prove_program = program("mutants"), program("prove")

GOOD = """\
/*@ requires readable: \\valid_read(in);
    requires writable: \\valid(out);
    terminates \\true;
    exits \\false;
    assigns *out;
    ensures meaning: \\result <==> some_rule(in);
    ensures copied: *out == *in; */
static bool some_rule(const int *in, int *out)
{
	*out = *in;
	return *in < 3 && *in - 1 != 4;
}
"""
LOG = """\
[kernel] Parsing x.c (with preprocessing)
[wp] [CFG] Goal some_rule_exits : Valid (Unreachable)
[wp] [Qed] Goal typed_some_rule_terminates : Valid
[wp] [CVC5 1.0.3] Goal typed_some_rule_ensures_meaning : Valid (Qed:56ms) (1.5s) (cached)
[wp] Proved goals:    3 / 3
"""


class Fake:
    """A source file, as wp.Source has it."""
    functions, calls, name = ["some_rule"], [], "x.c"

    def __init__(self, text):
        self.path = f"{SCRATCH}/x.c"
        self.files = [self.path]
        wp.write(self.path, text)

    def dependencies(self):
        return [self.path]

    owner = wp.Source.owner
    relevant = wp.Source.relevant


def refuses(name, found, word):
    """One test point: a gate complains, with the reason."""
    tap.ok(any(word in complaint for complaint in found), f"refuses {name}",
           *(found or ["nothing was said"]))


def without(line):
    """The complaints about the good contract with a line left out."""
    assert line in GOOD
    return gates.contracts([Fake(GOOD.replace(line, ""))])


def test_contracts():
    """Contracts must be complete."""
    tap.is_empty(gates.contracts([Fake(GOOD)]), "accepts a complete contract")
    refuses("a function without a contract", gates.contracts([Fake(GOOD[GOOD.index("static"):])]),
            "has no contract")
    refuses("one that may not end", without("    terminates \\true;\n"), "terminates")
    refuses("one that may exit",
            gates.contracts([Fake(GOOD.replace("exits \\false", "exits \\true"))]), "exits")
    refuses("one that assigns anything", without("    assigns *out;\n"), "assigns")
    refuses("one silent on its result",
            without("    ensures meaning: \\result <==> some_rule(in);\n"), "\\result")
    refuses("one silent on what it sets",
            gates.contracts([Fake(GOOD.replace("copied: *out == *in", "said: *in == *in"))]),
            "what out is set to")
    bare = GOOD.replace("/*@ requires readable: \\valid_read(in);\n    requires writable: "
                        "\\valid(out);", "/*@")
    refuses("pointers without requirements", gates.contracts([Fake(bare)]), "requires nothing")


def rules_of(old, new):
    """The complaints of the gate for rules about the good contract with a change."""
    assert old in GOOD
    return gates.rules([Fake(GOOD.replace(old, new))], [("some.rule", "some_rule")], {})


def test_empty_contracts():
    """Contracts must say something, of the function that they stand above."""
    meaning, copied = "meaning: \\result <==> some_rule(in);", "copied: *out == *in;"
    for name, old, new, word in (
            ("a result that is as it is", meaning, "meaning: \\result <==> \\result;",
             "says nothing"),
            ("an output that is as it is", copied, "copied: *out == *out;", "says nothing"),
            ("a clause without a name in it", copied, copied + "\n    ensures filler: 0 == 0;",
             "says nothing"),
            ("to assign an input", "assigns *out;", "assigns *out, *in;", "assigns *in")):
        assert old in GOOD
        refuses(name, gates.contracts([Fake(GOOD.replace(old, new))]), word)
    contract, function = GOOD[:GOOD.index("static")], GOOD[GOOD.index("static"):]
    head = function[:function.index("\n{")]
    refuses("a second contract", gates.contracts([Fake(f"{contract}{head};\n\n{GOOD}")]),
            "has 2 contracts")
    refuses("the contract of a function of another file",
            gates.contracts([Fake(GOOD + contract + head.replace("some_rule", "other") + ";\n")]),
            "other()")
    called = function.replace("\treturn", "\t/*@ assert a: *in == *in; */\n\treturn some_rule(in, "
                                          "out);\n\treturn", 1)
    refuses("an assertion above a call for a contract", gates.contracts([Fake(called)]),
            "has no contract")


def test_rules():
    """Functions of rules decide the predicate of the rule's name."""
    one = "meaning: \\result <==> some_rule(in)"
    exact = GOOD.replace("some_rule(in)", "some_rule(in, out)")
    tap.is_empty(gates.rules([Fake(exact)], [("some.rule", "some_rule")], {}),
                 "accepts a rule's function")
    for name, new in (("a rule that says less", "meaning: \\result ==> some_rule(in, out)"),
                      ("a rule that says less and less",
                       "meaning: \\result <==> some_rule(in, out) || \\result"),
                      ("a rule of another name", "other: \\result <==> some_rule(in, out)"),
                      ("a rule of other parameters", "meaning: \\result <==> some_rule(out, in)"),
                      ("a rule of more parameters", "meaning: \\result <==> some_rule(in, out, 0)"),
                      ("a rule with two meanings", "meaning: \\result <==> some_rule(in, out);\n"
                                                   "    ensures meaning: \\result <==> "
                                                   "other_rule(in)")):
        refuses(name, rules_of(one, new), "does not ensure")
    refuses("a rule without function", gates.rules([Fake(GOOD)], [("no.rule", "no_rule")], {}),
            "no function")
    tap.is_empty(gates.rules([Fake(exact.replace("<==> some_rule", "<==> formula"))], [],
                             {"some_rule": "formula(in, out)"}),
                 "accepts a function that sums rules up")
    refuses("one that does not", gates.rules([Fake(exact)], [], {"some_rule": "formula(in, out)"}),
            "formula")
    stranger = Fake(GOOD)
    stranger.calls = ["memcpy"]
    refuses("a call to what is not proved", gates.strangers([stranger]), "memcpy")


# What must not stand in the core: name, where in GOOD, what instead, a word of the complaint.
BODY, HEAD, TOP = "\t*out = *in;\n", "static bool some_rule(", "/*@ requires readable"
NOT_PLAIN = (
    ("a macro", HEAD, "#define TRUST admit\n" + HEAD, "#define TRUST admit"),
    ("a macro in an annotation", BODY, "\t/*@ TRUST truth: *in == 3; */\n", "TRUST"),
    ("other code for Frama-C", BODY, "#ifdef __FRAMAC__\n" + BODY + "#endif\n", "__FRAMAC__"),
    ("code left out", BODY, "#if 0\n" + BODY + "#endif\n", "#if 0"),
    ("other lines", BODY, "#line 3 \"y.c\"\n" + BODY, "#line"),
    ("the inclusion of another file", HEAD, "#include \"magic.inc\"\n" + HEAD, "magic.inc"),
    ("a directive spelled otherwise", BODY, "%:if 0\n" + BODY + "%:endif\n", "%:"),
    ("a directive spelled in trigraphs", BODY, "??=if 0\n" + BODY + "??=endif\n", "??="),
    ("a line that goes on", BODY, "\t// a \\\n" + BODY, "\\"),
    ("an attribute", HEAD, "__attribute__((weak)) " + HEAD, "__attribute__"),
    ("a pragma", BODY, "\t_Pragma(\"pack(1)\")\n" + BODY, "_Pragma"),
    ("assembly", BODY, "\tasm(\"nop\");\n", "asm"),
    ("an annotation within a comment", HEAD, "/* /*@ ensures a: 1 == 1; */\n" + HEAD,
     "within a comment"),
    ("a preprocessor line in an annotation", BODY, "\t/*@ assert a:\n#if 0\n 1 == 1; */\n",
     "annotation with"),
    ("a ghost function", TOP, "/*@ ghost\n/@ ensures lie: x == 1; @/\nvoid lie(int x); */\n" + TOP,
     "ghost"),
    ("ghost code that calls", BODY, "\t//@ ghost lie(*in);\n", "ghost code"),
    ("ghost code that assigns what is real", BODY, "\t//@ ghost *out = 3;\n", "ghost code"),
    ("an assumption", BODY, "\t/*@ admit a: *in == 3; */\n", "admit"),
    ("an assumption behind a requirement", "    terminates",
     "    admit requires a: \\false;\n    terminates", "admit"),
    ("a requirement that is false", "    terminates", "    requires a: \\false;\n    terminates",
     "\\false"),
    ("an assertion that is false", BODY, "\t/*@ assert a: \\false; */\n", "\\false"),
    ("a behavior", "    ensures meaning", "    behavior b: assumes 1 == 2;\n    ensures meaning",
     "behavior"),
    ("a predicate", TOP, "/*@ predicate some_rule(int *a, int b) = \\true; */\n" + TOP,
     "predicate"),
    ("a logic function", TOP, "/*@ logic integer g(integer n) = g(n) + 1; */\n" + TOP, "logic"),
    ("an inductive predicate", TOP, "/*@ inductive p(integer n) { case c: p(0); } */\n" + TOP,
     "ACSL"),
    ("an axiom", TOP, "/*@ axiomatic a { axiom b: 1 == 2; } */\n" + TOP, "ACSL"),
    ("a lemma", TOP, "/*@ lemma a: 1 == 2; */\n" + TOP, "lemma"),
    ("an invariant of a type", TOP, "/*@ type invariant i(int x) = x > 0; */\n" + TOP, "invariant"),
    ("a contract of a statement", BODY, "\t/*@ ensures a: *out == 3; */\n" + BODY,
     "where it belongs"),
    ("a contract above something else", HEAD, "int x;\n" + HEAD, "not the contract"),
)


def test_plain():
    """What Frama-C could read in another way than the gates and compilers do has no place in the
    core."""
    headers = ["y.h"]
    plain = '#include "y.h"\n#include "spec.acsl.h"\n\n' + GOOD.replace(
        BODY, "\t//@ ghost size_t k = 0;\n" + BODY + "\t/*@ assert a: \\forall integer i; i < i "
                                                     "+ 1; */\n"
        "\t/*@ loop invariant range: *in == *in; // not empty\n\t    loop assigns *out;\n\t    "
        "loop variant *in; */\n")
    tap.is_empty(acsl.plain("x.c", plain, headers), "accepts plain code")
    tap.is_empty(acsl.plain("x.c", "/* axiom, admit, lemma, __FRAMAC__ */\n" + GOOD, headers),
                 "comments may use any word")
    guarded = "#ifndef ISHARE_X_H\n#define ISHARE_X_H\n" + GOOD + "#endif\n"
    tap.is_empty(acsl.plain("x.h", guarded, headers), "accepts a header")
    for name, old, new, word in NOT_PLAIN:
        assert GOOD.count(old) == 1, old
        refuses(name, acsl.plain("x.c", GOOD.replace(old, new), headers), word)
    for name, text in (("a header without guard", GOOD),
                       ("one with another's", guarded.replace("X_H", "Y_H")),
                       ("code beyond the guard", guarded + "int x;\n")):
        refuses(name, acsl.plain("x.h", text, headers), "not within")
    refuses("other code for the kernel",
            acsl.plain("types.h", acsl.CONDITIONALS["types.h"][0].replace(
        "#else\n", "#else\nint x;\n"), headers), "__KERNEL__")


def defined(text):
    """The complaints about a specification."""
    return gates.definitions(Fake(text).path)


def test_definitions():
    """The specification defines, and its definitions have values."""
    count = "/*@ logic integer f(integer n) = n <= 0 ? 0 : f(n - 1) + 1; */"
    tap.is_empty(defined("/*@ predicate p{L}(int *a) = \\forall integer i; a[i] == 0; // axiom\n"
                         " logic integer g(integer n) = \\let x = n; x + 1; */"),
                 "accepts definitions")
    for what in ("axiomatic a { axiom b: 1 == 1; }", "lemma l: 1 == 1;",
                 "logic integer f(integer n);",
                 "admit lemma l: 1 == 1;", "inductive p(integer n) { case c: p(0); }",
                 "predicate p(integer n);"):
        refuses(f"`{what}`", defined(f"/*@ {what} */"), "no definition" if what[-1] == ";"
                else "semicolon")
    refuses("code in the specification", defined(count + "\n#define f g\n"),
            "more than definitions")
    tap.is_empty(defined(count), "accepts recursion that counts down")
    for name, text in (
            ("does not end", count.replace("n - 1", "n")),
            ("has no bottom", "/*@ logic integer f(integer n) = f(n - 1) + 1; */"),
            ("goes below the bottom", "/*@ logic integer f(integer n) = n <= 0 ? f(n - 1) : 0; */"),
            ("hides behind a name", "/*@ logic integer f(integer n) = \\let y = n; f(y) + 1; */"),
            ("gives its counter another name",
             count.replace("f(n - 1)", "(\\let n = m; f(n - 1))")),
            ("counts down something else",
             "/*@ logic integer f(integer n, integer m) = n <= 0 ? 0 : f(n, n - 1) + 1; */"),
            ("counts no parameter", "/*@ logic integer f(integer m) = n <= 0 ? 0 : f(n - "
                                    "1) + 1; */"),
            ("has no parameters", "/*@ logic integer f = f + 1; */")):
        refuses(f"recursion that {name}", defined(text), "f() calls itself")


def symbols_of(text, name="x.c"):
    """The functions of a core that is one file, or what is wrong with it."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        os.makedirs("ref/core")
        os.makedirs(wp.BUILD)
        wp.write(f"ref/core/{name}", text)
        wp.write("ref/core/magic.inc", "int magic(void)\n{\n\treturn 1;\n}\n")
        try:
            with contextlib.redirect_stderr(io.StringIO()) as said:
                return wp.Source("ref/core/x.c").functions
        except SystemExit:
            return [said.getvalue()]
        finally:
            os.chdir(here)


def test_symbols():
    """All functions are known that the compiler makes."""
    tap.ok(symbols_of("static int f(void)\n{\n\treturn 1;\n}\n") == ["f"], "finds static functions")
    tap.ok(symbols_of("__attribute__((weak)) int f(void)\n{\n\treturn 1;\n}\n") == ["f"],
           "finds weak functions")
    refuses("a function of a file that is not looked at", symbols_of('#include "magic.inc"\n'),
            "magic()")
    refuses("a function that says it is elsewhere",
            symbols_of('#line 1 "y.c"\nint f(void)\n{\n\treturn 1;\n}\n'), "f()")


def check_log(log):
    """The result of reading a log: (figures, complaint)."""
    prover = wp.Prover.__new__(wp.Prover)
    prover.machdep, prover.smoke = "gcc_x86_64", False
    try:
        return prover.check_log(Fake(GOOD), "some_rule", log), ""
    except wp.Unproved as reason:
        return {}, str(reason)


def test_logs():
    """A log with anything but valid goals is no proof."""
    found, complaint = check_log(LOG)
    tap.ok(found == {"goals": 3, "steps": 0, "ensures": 1, "qed": 2, "cvc5": 1, "smoke": 0,
                     "seconds": 1.556} and not complaint,
           "counts the goals of a good log", found, complaint)
    for verdict in ("Timeout (Qed:2ms) (60s)", "Unknown", "Failed", "Invalid", "Stepout",
                    "not tried"):
        _, complaint = check_log(LOG.replace("Valid (Qed:56ms) (1.5s) (cached)", verdict))
        refuses(f"the verdict {verdict}", [complaint], "--goal some_rule_ensures_meaning")
    refuses("a warning", [check_log("[wp] Warning: Missing assigns clause\n" + LOG)[1]], "Warning")
    refuses("a warning with its text",
            [check_log("[wp] x.c:3: Warning: \n  Missing assigns clause\n" + LOG)[1]],
            "Warning: Missing assigns")
    found, _ = check_log("".join(f"[wp] [Qed] Goal typed_some_rule_{goal} : Valid\n" for goal in (
        "assert_filler", "loop_invariant_range_preserved", "assert_rte_mem_access"))
                         + LOG.replace("3 / 3", "6 / 6"))
    tap.ok(found.get("goals") == 6 and found.get("steps") == 2,
           "tells steps of a proof from what it claims", found)
    test = "Smoke-test typed_some_rule_wp_smoke_default_requires\n"
    refuses("a failed smoke test", [check_log(f"{LOG}[wp] [Failed] {test}")[1]], "contradiction")
    refuses("a smoke test that the summary does not count",
            [check_log(f"{LOG}[wp] [Passed] {test}")[1]], "summary")
    found, _ = check_log(f"[wp] [Passed] {test}{LOG}".replace("3 / 3", "4 / 4"))
    tap.ok(found.get("smoke") == 1, "counts smoke tests", found)
    refuses("a goal of another function",
            [check_log(LOG.replace("some_rule_exits", "other_exits"))[1]], "some_rule()")
    refuses("an empty log", [check_log("")[1]], "summary")
    refuses("a log that loses a goal", [check_log(LOG.replace("3 / 3", "4 / 4"))[1]], "summary")
    refuses("a log cut short", [check_log(LOG[:LOG.index("[wp] Proved")])[1]], "summary")


def check_report(text):
    """The errors in a JSON report."""
    prover = wp.Prover.__new__(wp.Prover)
    if text is not None:
        wp.write(f"{SCRATCH}/wp.json", text)
    try:
        return prover.check_report(f"{SCRATCH}/{'no-' * (text is None)}wp.json") or []
    except wp.Unproved as reason:
        return [str(reason)]


def test_reports():
    """A report with anything but valid goals is no proof."""
    good = '{"wp:global": {"wp:main": {"total": 3, "valid": 3}}}'
    tap.is_empty(check_report(good), "accepts a report of valid goals")
    refuses("a report with a goal that is not",
            check_report(good.replace('"valid": 3', '"valid": 2')), "2 of 3")
    refuses("a report of valid goals, none of them", check_report(good.replace("3", "0")), "0 of 0")
    for name, text in (("a report that is missing", None), ("an empty one", ""),
                       ("one of something else", "{}")):
        refuses(name, check_report(text), "no report")


def test_relevance():
    """The dependences of a function's proof."""
    other = GOOD.replace("some_rule(const", "other(const")
    source = Fake(GOOD + other)
    before, of_other = source.relevant("some_rule"), source.relevant("other")
    changed = other.replace("*in < 3", "*in < 4")
    tap.ok(Fake(GOOD + changed).relevant("some_rule") == before,
           "a function's proof outlives a change in another")
    tap.ok(Fake(GOOD + changed).relevant("other") != of_other, "but not one in the function itself")
    for name, text in (("its body", GOOD.replace("*in < 3", "*in < 4") + other),
                       ("its contract", GOOD.replace("copied:", "c:") + other),
                       ("the contract of another", GOOD + other.replace("copied:", "c:")),
                       ("a declaration", "extern int x;\n" + GOOD + other)):
        tap.ok(Fake(text).relevant("some_rule") != before,
               f"a proof does not outlive a change in {name}")


def test_committed():
    """Results of proofs do not belong into version control."""
    here = os.getcwd()
    os.chdir(SCRATCH)
    tap.run(["git", "init", "-q"], cwd=SCRATCH)
    os.makedirs("build/proofs/cache", exist_ok=True)
    wp.write("build/proofs/cache/1.json", "{}")
    tap.is_empty(gates.committed(), "accepts results that are only there")
    tap.run(["git", "add", "-f", "build"], cwd=SCRATCH)
    refuses("results under version control", gates.committed(),
            "build/proofs/cache/1.json is under version control")
    tap.run(["git", "rm", "-q", "-r", "-f", "build"], cwd=SCRATCH)
    wp.write("f.proved", "{}")
    tap.run(["git", "add", "-f", "f.proved"], cwd=SCRATCH)
    refuses("results elsewhere under version control", gates.committed(), "f.proved")
    os.chdir(here)


def test_floors():
    """Floors rise and do not sink."""
    gates.FLOORS = f"{SCRATCH}/floors.tsv"
    three, two = {"goals m": {("x.c", "some_rule"): 3}}, {"goals m": {("x.c", "some_rule"): 2}}
    refuses("a function without floor", gates.floors("goals m", {("x.c", "some_rule"): 3}),
            "not in floors.tsv")
    tap.is_empty(gates.record_floors(two), "records floors")
    tap.is_empty(gates.record_floors(three), "raises floors")
    tap.is_empty(gates.floors("goals m", {("x.c", "some_rule"): 3}),
                 "accepts as many goals as before")
    refuses("fewer goals than before", gates.floors("goals m", {("x.c", "some_rule"): 2}), "had 3")
    refuses("to lower a floor", gates.record_floors(two), "the floor is 3")
    tap.is_empty(gates.floors("goals m", {("x.c", "some_rule"): 3}),
                 "a floor that was not to be lowered is still there")
    tests = {"goals m": {("x.c", "some_rule"): 3}, "smoke tests m": {("x.c", "some_rule"): 2}}
    refuses("smoke tests without floor", gates.floors("smoke tests m", {("x.c", "some_rule"): 2}),
            "not in floors.tsv")
    tap.is_empty(gates.record_floors(tests), "records the number of smoke tests")
    refuses("smoke tests that were not run",
            gates.floors("smoke tests m", {("x.c", "some_rule"): 1}), "had 2")
    tap.is_empty(gates.record_floors(tests), "records the same again")
    refuses("to forget the smoke tests", gates.record_floors(three), "the floor is 2")
    refuses("a function that is gone", gates.floors("goals m", {}), "gone")
    tap.is_empty(gates.floors("goals m", {}, {("x.c", "some_rule")}),
                 "accepts that a sample leaves a function out")
    refuses("to forget a function", gates.record_floors({}), "the floor is 3")


def test_mutants():
    """Mutants change the body of a function and nothing else, each in its own way."""
    mutants = list(mutate.mutants("x.c", GOOD))
    start = GOOD.index("{\n")
    tap.ok(len(mutants) > 15 and len({m.name for m in mutants})
           == len({m.apply(GOOD) for m in mutants}) == len(mutants),
           "mutants have names of their own and differ", *(m.name for m in mutants))
    tap.ok(all(m.start > start and m.apply(GOOD)[:start] == GOOD[:start] for m in mutants),
           "contracts stay as they are")
    made = {m.lines(GOOD)[1] for m in mutants}
    for wanted in ("return *in <= 3 && *in - 1 != 4;", "return *in < 4 && *in - 1 != 4;",
                   "return *in < 3 ;",
                   "return *in < 3 && 1 - *in != 4;", "return *in < 3 || *in - 1 != 4;",
                   "return true;", ";"):
        tap.ok(wanted in made, f"makes `{wanted}`", *sorted(made))


def test_judging():
    """A mutant is rejected only where the original passes at the same time."""
    made = list(mutate.mutants("x.c", GOOD))[:4]
    where = ("x.c", "some_rule")
    order = list(mutants_program.with_controls(made))
    tap.ok(order == made[:2] + [where] + made[2:], "the original is tried amid its mutants", *order)
    results = dict(zip(made, (("timeout", "g"), ("new goal", "h"), ("survived", ""),
                              ("refuted", "g"))))
    tap.ok(mutants_program.unjudged(results, {}) == results,
           "verdicts stand where the original passes")
    found = mutants_program.figures([made], {"do not compile": 0, "same assembly": 0},
                                    results, 1, 1.0)
    tap.ok(found["rejected"] == 2 and found["verdicts"]["new goal"] == 1,
           "a new goal alone rejects no mutant", found)
    judged = mutants_program.unjudged(results, {where: "some_rule_exits: timeout"})
    tap.ok(all(verdict == "not judged" for verdict, _ in judged.values()),
           "no verdict stands where it does not", *judged.values())
    tap.ok(mutants_program.unjudged(results, {("x.c", "other"): "timeout"}) == results,
           "that is told by function")
    file = mutants_program.File(Fake("#include <stdbool.h>\n" + GOOD
                                     + "bool use(int *p) { return some_rule(p, p); }\n").path)
    group = list(mutate.mutants(file.path, file.text))
    for number in range(8):
        renamed = [mutate.Mutant(m.path, f"f{number}", *[getattr(m, f) for f in (
            "line", "operator", "number", "start", "end", "replacement")]) for m in group]
        tried = {m.operator for m in mutants_program.pick(file, renamed, mutants_program.Counter())}
        if not {"return", "statement"} <= tried:
            break
    tap.ok({"return", "statement"} <= tried,
           "of each function a mutant with another result is tried, and one that does "
           "not set something", tried)


PAIR = """\
#define LIMIT 3
/* Where it is. */
struct place {
	int at;
};

/*@ requires readable: \\valid_read(p);
    ensures meaning: \\result <==> near(p); */
static bool near_by(const struct place *p)
{
	return p->at < LIMIT;
}

/*@ ensures meaning: \\result == 7; */
int seven(void)
{
	return 7; /* seven */
}

/*@ ensures meaning: \\result == 1; */
int one(const struct place *p)
{
	return near_by(p) ? 1 : 0;
}
"""
VERSIONS = {"frama-c": "1.0", "why3": "2.0", "cvc5": "3.0"}
PAIR_SPEC = """\
/*@ predicate near(struct place *p) = p->at < limit_of(p); */
/*@ logic integer limit_of(struct place *p) = 3; */
/*@ predicate far(struct place *p) = p->at > 3; */
"""


def pair():
    """The functions of PAIR."""
    source = Fake(PAIR)
    source.functions, source.files = ["near_by", "one", "seven"], [source.path, wp.SPEC]
    return source


def touched_by(old="", new="", spec_old="", spec_new=""):
    """The functions of PAIR that are touched after a change."""
    wp.write(wp.SPEC, PAIR_SPEC.replace(spec_old, spec_new) if spec_old else PAIR_SPEC)
    source = pair()
    if old:
        wp.write(source.path, PAIR.replace(old, new))
    return {function for _, function in touched.touched([source])}


def sampled_plan(seed, every, changed):
    """What is proved of a sample; what it says of itself is not for here."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        plan = prove_program.sampled_plan(seed, every, changed)
    return plan, said.getvalue()


def test_sample():
    """What has changed is proved on all machines, the rest on each in its turn."""
    every = {("x.c", f"function_{number}") for number in range(30)}
    changed = {("x.c", "function_7")}
    whole, smoke = set(), set()
    for seed in map(str, range(100)):
        plan, said = sampled_plan(seed, every, changed)
        machines = [machdep for machdep, wanted in plan.machines.items() if wanted == every]
        if not (plan.machines.keys() == wp.MACHDEPS.keys() and len(machines) == 1
                and all(changed <= wanted for wanted in plan.machines.values())
                and changed <= plan.smoke and len(plan.smoke) == 1 + 2 and not plan.is_full()):
            break
        whole, smoke = whole | set(machines), smoke | plan.smoke
    tap.ok(seed == "99", "what has changed is proved on all machines, the rest on one", plan)
    tap.ok("sampled: 1 functions have changed" in said and f"29 only on {machines[0]}" in said,
           "and that is said", said)
    tap.ok(whole == wp.MACHDEPS.keys() and smoke == every,
           "each machine and each smoke test has its turn", *whole, *(every - smoke))
    tap.ok(sampled_plan("1", every, every)[0].is_full(), "where all has changed, all is proved")
    many = {("x.c", f"function_{number}") for number in range(300)}
    for count, wanted in ((1, 1 + 15), (15, 15 + 15), (290, 290 + 1)):
        some = set(sorted(many)[:count])
        plan, _ = sampled_plan("1", many, some)
        tap.ok(some <= plan.smoke and len(plan.smoke) == wanted,
               f"smoke tests of {count} that have changed and one in twenty of the rest",
               len(plan.smoke))


def sampled_mutants(groups, seed):
    """How many mutants of each function a sample tries, and what it says of itself."""
    with mock.patch.multiple(
            mutants_program, changed_functions=lambda files, seed: ({("x.c", "f7")}, 1),
            pick_all=lambda files, chosen, counts: [g[:mutants_program.quota(g)] for g in chosen]
    ), contextlib.redirect_stderr(io.StringIO()) as said:
        tried = Counter(m.function for m in mutants_program.sampled({}, groups, seed, {}))
    return tried, said.getvalue()


def test_sample_of_mutants():
    """Of a sample, all mutants of some functions are tried, and two of what has changed."""
    groups = [[SimpleNamespace(path="x.c", function=f"f{number}")] * 20 for number in range(40)]
    quota, seen = mutants_program.quota(groups[0]), set()
    for seed in map(str, range(100)):
        tried, said = sampled_mutants(groups, seed)
        whole = {name for name, number in tried.items() if number == quota}
        if not (len(whole) * quota == mutants_program.SAMPLE and tried.keys() <= whole | {"f7"}
                and tried["f7"] >= mutants_program.AT_LEAST):
            break
        seen |= whole
    tap.ok(seed == "99", "all mutants of some functions, and two of one that has changed", tried)
    tap.ok("mutants of about 120, of" in said, "and that is said", said)
    tap.ok(len(seen) == 40, "each function has its turn", *seen)


def test_touched():
    """A function is touched by what its proof depends on, and by nothing else."""
    every = {"near_by", "seven", "one"}
    tap.ok(touched_by() == every, "without a record, all functions are touched")
    tap.is_empty(touched.record([pair()], touched.digests([pair()])), "records what was proved")
    for what, functions, change in (
            ("nothing", set(), ()), ("a comment", set(), ("seven */", "a number */")),
            ("spaces", set(), ("return 7;", "return  7;")),
            ("a body", {"near_by"}, ("at <", "at <=")),
            ("another body", {"seven"}, ("return 7", "return 8")),
            ("a contract", {"seven"}, ("== 7", "<= 7")),
            ("the contract of what it calls", {"near_by", "one"}, ("readable: ", "other: ")),
            ("a structure", {"near_by", "one"}, ("int at;", "int at, more;")),
            ("a constant", {"near_by"}, ("LIMIT 3", "LIMIT 4")),
            ("a predicate that a predicate uses", {"near_by", "one"}, ("", "", "= 3;", "= 4;")),
            ("a predicate that nothing uses", set(), ("", "", "> 3;", "> 4;"))):
        found = touched_by(*change)
        tap.ok(found == functions, f"touched by {what}: {', '.join(sorted(functions)) or 'none'}",
               *found)
    for what, name, other in (("the options of the proof", "options", lambda machdep: ["-other"]),
                              ("the time for a goal", "SECONDS_PER_GOAL", 61),
                              ("the time for a smoke test", "SECONDS_PER_SMOKE_TEST", 2),
                              *((f"another {tool}", "versions", lambda tool=tool: VERSIONS
                                 | {tool: "9.9"}) for tool in VERSIONS)):
        with mock.patch.object(wp, name, other):
            tap.ok(touched_by() == every, f"touched by {what}: all")


def ends_with(sources, *options, wrong=(), failed=(), meanwhile=""):
    """What a proof of everything writes into proved.tsv, and its exit status, if these are the
    complaints of the gates, the functions not proved, and the text of PAIR when it ends."""
    def prove_machines(plan, _):
        if meanwhile:
            wp.write(sources[0].path, meanwhile)
        return {machdep: {} for machdep in plan.machines}, {}, list(failed)

    if os.path.exists(touched.PROVED.path):
        os.unlink(touched.PROVED.path)
    with mock.patch.object(sys, "argv", ["prove", *options]), \
            mock.patch.multiple(prove_program, prove_machines=prove_machines,
                                check_gates=lambda *_: list(wrong), check_floors=lambda *_: [],
                                floor_counts=lambda *_: {}, report=mock.DEFAULT), \
            contextlib.redirect_stdout(io.StringIO()), \
            contextlib.redirect_stderr(io.StringIO()):
        status = prove_program.prove_all(prove_program.parse_arguments(), sources)
    return status, touched.PROVED.read()


def test_proved():
    """proved.tsv is written by a run that proves everything, and by no other."""
    every = touched.digests([pair()])
    tap.ok(ends_with([pair()], "--record-floors") == (0, every), "written when all is proved")
    for what, options, how in (
            ("without --record-floors", (), {}),
            ("by a sample", ("--sample", "1"), {}),
            ("if a function is not proved", ("--record-floors",), {"failed": ["one"]}),
            ("if a gate complains", ("--record-floors",), {"wrong": ["one"]}),
            ("if what is proved has changed meanwhile", ("--record-floors",),
             {"meanwhile": PAIR.replace("return 7", "return 8")})):
        status, found = ends_with([pair()], *options, **how)
        tap.ok(not found and status == bool(how), f"not written {what}", status, *found)
    with mock.patch.object(prove_program.Plan, "is_full", lambda _: False):
        _, found = ends_with([pair()], "--record-floors")
    tap.ok(not found, "not written if anything was left out", *found)
    for options in (("--sample", "1"), ("--machdep", "ppc_32"), ("ref/core/names.c",)):
        with mock.patch.object(sys, "argv", ["prove", "--record-floors", *options]), \
                contextlib.redirect_stderr(io.StringIO()):
            try:
                prove_program.parse_arguments()
                refused = False
            except SystemExit:
                refused = True
        tap.ok(refused, f"--record-floors with {options[0]} is refused")


def with_pair(test):
    """Runs a test with a specification, provers and a proved.tsv of its own."""
    with mock.patch.object(wp, "SPEC", f"{SCRATCH}/spec.acsl.h"), \
            mock.patch.object(touched.PROVED, "path", f"{SCRATCH}/proved.tsv"), \
            mock.patch.object(wp, "versions", lambda: VERSIONS):
        wp.write(wp.SPEC, PAIR_SPEC)
        test()


with tempfile.TemporaryDirectory() as SCRATCH:
    test_contracts()
    test_rules()
    test_empty_contracts()
    test_plain()
    test_definitions()
    test_symbols()
    test_logs()
    test_reports()
    test_relevance()
    test_committed()
    test_floors()
    with_pair(test_touched)
    with_pair(test_proved)
    test_sample()
    test_mutants()
    test_sample_of_mutants()
    test_judging()
tap.done()
