#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The gates of the proofs let good contracts and logs pass and refuse bad ones. No prover is needed for that."""

import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(HERE), os.path.join(HERE, "../../proofs")]
import gates  # noqa: E402
import mutate  # noqa: E402
import tap  # noqa: E402
import wp  # noqa: E402

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
    """One test point: a gate complains, and says what of."""
    tap.ok(any(word in complaint for complaint in found), f"refuses {name}", *(found or ["nothing was said"]))


def without(line):
    """The complaints about the good contract with a line left out."""
    assert line in GOOD
    return gates.contracts([Fake(GOOD.replace(line, ""))])


def test_contracts():
    """Contracts must be complete."""
    tap.is_empty(gates.contracts([Fake(GOOD)]), "accepts a complete contract")
    refuses("a function without a contract", gates.contracts([Fake(GOOD[GOOD.index("static"):])]), "has no contract")
    refuses("one that may not end", without("    terminates \\true;\n"), "terminates")
    refuses("one that may exit", gates.contracts([Fake(GOOD.replace("exits \\false", "exits \\true"))]), "exits")
    refuses("one that assigns anything", without("    assigns *out;\n"), "assigns")
    refuses("one silent on its result", without("    ensures meaning: \\result <==> some_rule(in);\n"), "\\result")
    refuses("one silent on what it sets", gates.contracts([Fake(GOOD.replace("copied: *out == *in", "said: *in == *in"))]),
            "what out is set to")
    bare = GOOD.replace("/*@ requires readable: \\valid_read(in);\n    requires writable: \\valid(out);", "/*@")
    refuses("pointers without requirements", gates.contracts([Fake(bare)]), "requires nothing")


def test_rules():
    """Functions of rules decide the predicate of the rule's name."""
    tap.is_empty(gates.rules([Fake(GOOD)], [("some.rule", "some_rule")]), "accepts a rule's function")
    refuses("a rule that says less", gates.rules([Fake(GOOD.replace("<==>", "==>"))], [("some.rule", "some_rule")]),
            "does not ensure")
    refuses("a rule without function", gates.rules([Fake(GOOD)], [("no.rule", "no_rule")]), "no function")
    stranger = Fake(GOOD)
    stranger.calls = ["memcpy"]
    refuses("a call to what is not proved", gates.strangers([stranger]), "memcpy")


def test_trust():
    """Nothing may be believed unproved."""
    tap.is_empty(gates.trust([Fake(GOOD).path]), "accepts annotations that are all proved")
    for what in ("axiomatic a { axiom b: 1 == 1; }", "lemma l: 1 == 1;", "admit requires 1 == 1;",
                 "requires \\false;", "requires never: \\false;", "type invariant i(int x) = x > 0;"):
        refuses(f"`{what}`", gates.trust([Fake(f"/*@ {what} */\n{GOOD}").path]), what.split()[0].rstrip(";"))
    tap.is_empty(gates.trust([Fake(f"/* axiom, admit, lemma */\n{GOOD}").path]), "comments may use those words")
    count = "/*@ logic integer f(integer n) = n <= 0 ? 0 : f(n - 1) + 1; */"
    tap.is_empty(gates.recursion(Fake(count).path), "accepts recursion that counts down")
    refuses("recursion that does not end", gates.recursion(Fake(count.replace("n - 1", "n")).path), "f() calls itself")
    refuses("recursion that has no bottom",
            gates.recursion(Fake("/*@ logic integer f(integer n) = f(n - 1) + 1; */").path), "f() calls itself")


def check_log(log):
    """What becomes of a log: (figures, complaint)."""
    prover = wp.Prover.__new__(wp.Prover)
    prover.machdep, prover.smoke = "gcc_x86_64", False
    try:
        return prover.check_log(Fake(GOOD), "some_rule", log), ""
    except wp.Unproved as reason:
        return {}, str(reason)


def test_logs():
    """A log with anything but valid goals is no proof."""
    found, complaint = check_log(LOG)
    tap.ok(found == {"goals": 3, "qed": 2, "cvc5": 1, "smoke": 0, "seconds": 1.556} and not complaint,
           "counts the goals of a good log", found, complaint)
    for verdict in ("Timeout (Qed:2ms) (60s)", "Unknown", "Failed", "Invalid", "Stepout", "not tried"):
        _, complaint = check_log(LOG.replace("Valid (Qed:56ms) (1.5s) (cached)", verdict))
        refuses(f"the verdict {verdict}", [complaint], "--goal some_rule_ensures_meaning")
    refuses("a warning", [check_log("[wp] Warning: Missing assigns clause\n" + LOG)[1]], "Warning")
    test = "Smoke-test typed_some_rule_wp_smoke_default_requires\n"
    refuses("a failed smoke test", [check_log(f"{LOG}[wp] [Failed] {test}")[1]], "contradiction")
    refuses("a smoke test that the summary does not count", [check_log(f"{LOG}[wp] [Passed] {test}")[1]], "summary")
    found, _ = check_log(f"[wp] [Passed] {test}{LOG}".replace("3 / 3", "4 / 4"))
    tap.ok(found.get("smoke") == 1, "counts smoke tests", found)
    refuses("a goal of another function", [check_log(LOG.replace("some_rule_exits", "other_exits"))[1]], "some_rule()")
    refuses("an empty log", [check_log("")[1]], "summary")
    refuses("a log that loses a goal", [check_log(LOG.replace("3 / 3", "4 / 4"))[1]], "summary")
    refuses("a log cut short", [check_log(LOG[:LOG.index("[wp] Proved")])[1]], "summary")


def check_report(text):
    """What is wrong with a JSON report."""
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
    refuses("a report with a goal that is not", check_report(good.replace('"valid": 3', '"valid": 2')), "2 of 3")
    refuses("a report of valid goals, none of them", check_report(good.replace("3", "0")), "0 of 0")
    for name, text in (("a report that is missing", None), ("an empty one", ""), ("one of something else", "{}")):
        refuses(name, check_report(text), "no report")


def test_relevance():
    """What a function's proof depends on, and what not."""
    other = GOOD.replace("some_rule(const", "other(const")
    source = Fake(GOOD + other)
    before, of_other = source.relevant("some_rule"), source.relevant("other")
    changed = other.replace("*in < 3", "*in < 4")
    tap.ok(Fake(GOOD + changed).relevant("some_rule") == before, "a function's proof outlives a change in another")
    tap.ok(Fake(GOOD + changed).relevant("other") != of_other, "but not one in the function itself")
    for name, text in (("its body", GOOD.replace("*in < 3", "*in < 4") + other),
                       ("its contract", GOOD.replace("copied:", "c:") + other),
                       ("the contract of another", GOOD + other.replace("copied:", "c:")),
                       ("a declaration", "extern int x;\n" + GOOD + other)):
        tap.ok(Fake(text).relevant("some_rule") != before, f"a proof does not outlive a change in {name}")


def test_committed():
    """Results of proofs do not belong into version control."""
    here = os.getcwd()
    os.chdir(SCRATCH)
    tap.run(["git", "init", "-q"], cwd=SCRATCH)
    os.makedirs("build/proofs/cache", exist_ok=True)
    wp.write("build/proofs/cache/1.json", "{}")
    tap.is_empty(gates.committed(), "accepts results that are only there")
    tap.run(["git", "add", "-f", "build"], cwd=SCRATCH)
    refuses("results under version control", gates.committed(), "build/proofs/cache/1.json is under version control")
    tap.run(["git", "rm", "-q", "-r", "-f", "build"], cwd=SCRATCH)
    wp.write("f.proved", "{}")
    tap.run(["git", "add", "-f", "f.proved"], cwd=SCRATCH)
    refuses("results elsewhere under version control", gates.committed(), "f.proved")
    os.chdir(here)


def test_floors():
    """Floors rise and do not sink."""
    gates.FLOORS = f"{SCRATCH}/floors.tsv"
    three, two = {("x.c", "some_rule"): {"goals m": 3}}, {("x.c", "some_rule"): {"goals m": 2}}
    refuses("a function without floor", gates.floors("goals m", {("x.c", "some_rule"): 3}), "not in floors.tsv")
    tap.is_empty(gates.record_floors(two), "records floors")
    tap.is_empty(gates.record_floors(three), "raises floors")
    tap.is_empty(gates.floors("goals m", {("x.c", "some_rule"): 3}), "accepts as many goals as before")
    refuses("fewer goals than before", gates.floors("goals m", {("x.c", "some_rule"): 2}), "had 3")
    refuses("to lower a floor", gates.record_floors(two), "the floor is 3")
    tap.is_empty(gates.floors("goals m", {("x.c", "some_rule"): 3}), "a floor that was not to be lowered is still there")
    tests = {("x.c", "some_rule"): {"goals m": 3, "smoke tests m": 2}}
    refuses("smoke tests without floor", gates.floors("smoke tests m", {("x.c", "some_rule"): 2}), "not in floors.tsv")
    tap.is_empty(gates.record_floors(tests), "records the number of smoke tests")
    refuses("smoke tests that were not run", gates.floors("smoke tests m", {("x.c", "some_rule"): 1}), "had 2")
    tap.is_empty(gates.record_floors(tests), "records the same again")
    refuses("to forget the smoke tests", gates.record_floors(three), "the floor is 2")
    refuses("a function that is gone", gates.floors("goals m", {}), "gone")
    refuses("to forget a function", gates.record_floors({}), "the floor is 3")


def test_mutants():
    """Mutants change the body of a function and nothing else, each in its own way."""
    mutants = list(mutate.mutants("x.c", GOOD))
    start = GOOD.index("{\n")
    tap.ok(len(mutants) > 15 and len({m.name for m in mutants}) == len({m.apply(GOOD) for m in mutants}) == len(mutants),
           "mutants have names of their own and differ", *(m.name for m in mutants))
    tap.ok(all(m.start > start and m.apply(GOOD)[:start] == GOOD[:start] for m in mutants), "contracts stay as they are")
    made = {m.lines(GOOD)[1] for m in mutants}
    for wanted in ("return *in <= 3 && *in - 1 != 4;", "return *in < 4 && *in - 1 != 4;", "return *in < 3 ;",
                   "return *in < 3 && 1 - *in != 4;", "return *in < 3 || *in - 1 != 4;", "return true;", ";"):
        tap.ok(wanted in made, f"makes `{wanted}`", *sorted(made))


with tempfile.TemporaryDirectory() as SCRATCH:
    test_contracts()
    test_rules()
    test_trust()
    test_logs()
    test_reports()
    test_relevance()
    test_committed()
    test_floors()
    test_mutants()
tap.done()
