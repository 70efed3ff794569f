#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""fuzz/report/make-report: figures, plots, coverage, and crashes that are grouped, minimised and
reproducible."""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
from html.parser import HTMLParser

from erofs_ishare import crashes, tap, TOP
from erofs_ishare.browser import Browser
from erofs_ishare.files import read, write
import coverage


REPORT = f"{TOP}/fuzz/report/make-report"
PHONE, DESK = 390, 1280

# Two defects, one of which two functions lead to, and a loop without end.
TOY = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((noinline)) static void read_behind(const uint8_t *data, size_t size)
{
	volatile uint8_t *copy = malloc(4);
	copy[0] = data[0];
	if (copy[size])
		puts("");
	free((void *)copy);
}
__attribute__((noinline)) static void broken_promise(void)
{
	fputs("broken: promise: of 17 things\n", stderr);
	abort();
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	if (memcmp(data, "READ", 4) == 0)
		read_behind(data, size);
	if (memcmp(data, "OVER", 4) == 0)
		broken_promise();
	if (memcmp(data, "STOP", 4) == 0)
		for (;;)
			pause();
	return data[0] == 'x' ? 1 : 0;
}
"""

TABLE = read(f"{TOP}/fuzz/campaign/toy.toml") + """
[toy.coverage]
program = "{where}/toy-coverage"
files = ["{where}/toy.c"]

[[toy.instances]]
name = "main"
command = ["{where}/toy"]

[nothing]
what = "nothing"
"""

# What a program traced as the kernel is says of itself.
TRACED = r"""
#include <stdio.h>
void __sanitizer_cov_trace_pc(void);
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void)
{
	printf("%lx\n", (unsigned long)__builtin_return_address(0));
}
__attribute__((noinline)) static int reached(int n)
{
	return n > 1 ? n * 2 : n + 5;
}
__attribute__((noinline)) static int not_reached(int n)
{
	return n - 1;
}
int main(int argc, char **argv)
{
	if (argc > 100)
		return not_reached(argc);
	return reached(argc) == 77;
}
"""

CRASHES = {"crash-1": b"READ" + b"a" * 200, "crash-2": b"READ" + b"b" * 100,
           "crash-3": b"OVER and more",
           "crash-4": b"nothing happens", "hang-5": b"STOP"}


def build(where):
    """The toy, and the campaign it never had."""
    write(f"{where}/toy.c", TOY)
    write(f"{where}/toy.toml", TABLE.format(
        what="a toy with <defects> & more", name="toy", where=where, seeds="seeds"))
    for name, command in (("toy", ["afl-clang-fast", "-fsanitize=fuzzer"]),
                          ("toy-asan", ["afl-clang-fast", "-fsanitize=fuzzer,address"]),
                          ("toy-coverage", ["clang", "-fsanitize=fuzzer",
                                            "-fprofile-instr-generate", "-fcoverage-mapping"])):
        done = tap.run([*command, "-g", "-O1", "toy.c", "-o", name], cwd=where,
                       env=os.environ | {"AFL_QUIET": "1"})
        assert done.returncode == 0, done.stderr
    for name, data in CRASHES.items():
        write(f"{where}/campaign/crashes/{name}", data)
    write(f"{where}/campaign/seeds/one", b"xyz!")
    for name, data in (("id:000000", b"xyz!"), ("id:000001", b"wxyz"),
                       ("id:000002", b"OVER and out")):
        write(f"{where}/campaign/sync/main/queue/{name}", data)
    write(f"{where}/campaign/sync/main/fuzzer_stats",
          "run_time : 7300\nexecs_done : 2000000\ncycles_done : 3\n"
          "stability : 99.50%\nbitmap_cvg : 12.34%\ncommand_line : afl-fuzz -M main <x>\n")
    rows = "".join(f"{t}, 1, 0, {5 + t // 100}, 3, 1, 12.34%, 0, 0, 2, {250.5 if t else 'inf'}, "
                   f"{t * 250}, {30 + t // 50}\n"
                   for t in range(0, 7201, 5))
    write(f"{where}/campaign/sync/main/plot_data", "# relative_time, ...\n" + rows + "7205, 1, 0")
    write(f"{where}/campaign/campaign.json", json.dumps({"target": "toy", "sessions": [
        {"start": 1700000000, "end": 1700007300, "outcome": "time is over", "jobs": ["main"],
         "commit": "0123456 <subject>",
         "machine": {"cpu": "some", "cpus": 2, "kernel": "6.1", "afl": "4.04c"}}]}))


def make_report(where, *options):
    return tap.run([REPORT, "--targets", f"{where}/toy.toml", "--out", f"{where}/out", *options])


def test_mistakes(where):
    """Each mistake causes one line."""
    for name, words, said in (("an unknown target", ["other"],
                               "TARGET is 'other', not one of: toy, nothing"),
                              ("a campaign that has not begun",
                               ["nothing", "--dir", f"{where}/none"], "no campaign of nothing"),
                              ("another target's campaign",
                               ["nothing", "--dir", f"{where}/campaign"],
                               "holds a campaign of toy, not of nothing"),
                              ("a directory of no target", ["--dir", f"{where}/campaign"],
                               "DIR belongs to one target")):
        done = make_report(where, *words)
        tap.ok(done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1 and not
               os.path.exists(f"{where}/out"), f"{name}: one line, no report", done.returncode,
               done.stderr)


def test_figures(target):
    """The figures in AFL++'s files."""
    main = target["instances"][0]
    tap.ok((main["name"], main["execs"], main["seconds"], main["paths"], main["edges"],
            main["execs_per_second"]) ==
           ("main", 2000000, 7300, 77, 174, 274), "an instance's figures", main | {"series": None})
    times = [row[0] for row in main["series"]]
    tap.ok(100 < len(times) <= 300 and times == sorted(times) and times[-1] == 7200,
           "a plot's points: few, the last as well", times)
    tap.ok(main["series"][-1][1:] == [1800000, 77, 174, 250.5],
           "execs, paths, edges, execs/s of a point", main["series"][-1])
    tap.ok(target["corpus"] == 3, "each input of the corpus is counted once", target["corpus"])


def test_coverage(target):
    """Lines, although an input ends the program that counts them."""
    cover = target["coverage"]
    tap.ok(cover.get("lines") == cover["files"][0]["lines"]
           and 0 < cover["reached"] < cover["lines"], "lines are counted", cover)
    first = 1 + TOY[:TOY.index("fputs")].count("\n")
    missing = {n for part in cover["files"][0]["not_reached"].split(", ")
               for a, _, b in [part.partition("-")]
               for n in range(int(a), int(b or a) + 1)}
    last = 1 + TOY[:TOY.index("return data[0]")].count("\n")
    tap.ok(first in missing and last not in missing,
           "those that are not reached are named, and no others", missing, first, last)


def test_crashes(where, target):
    """By stack, small, and repeated."""
    by_title = {c["title"]: c for c in target["crashes"]}
    tap.ok(set(by_title) == {"heap-buffer-overflow", "broken: promise", "takes too long"},
           "three different ones", *by_title)
    over = by_title["heap-buffer-overflow"]
    tap.ok(len(over["inputs"]) == 2 and "read_behind" in over["signature"],
           "two inputs with one stack are one crash", over)
    promise = by_title["broken: promise"]
    tap.ok("broken_promise" in promise["signature"] and promise["stack"],
           "what is broken is named, with its stack", promise)
    tap.ok(promise["smallest_size"] < len(CRASHES["crash-3"]), "it is made smaller", promise)
    tap.ok(by_title["takes too long"]["kind"] == "hang"
           and any("pause" in f for f in by_title["takes too long"]["stack"]),
           "a hang has a stack", by_title["takes too long"])
    for name in ("heap-buffer-overflow", "broken: promise"):
        done = tap.run(by_title[name]["replay"].split())
        tap.ok(done.returncode != 0 and name.split()[-1] in done.stderr,
               f"{name}: the line that repeats it does", done.stderr)
    tap.ok([os.path.basename(p) for p in target["not_repeated"]] == ["crash-4"],
           "what does not happen again is listed", target["not_repeated"])
    tap.is_empty(glob.glob(f"{where}/campaign/minimised/*.new"), "nothing half done is left")


KERNEL_LOG = """[    0.000000] Linux version 7.3.4
[    0.080000] RIP: 0033:crc32c+0x1e/0x40
[    0.080000] Kernel panic - not syncing: Kernel mode fault at addr 0x7f, ip 0x6028076e
[    0.080000] Stack:
[    0.080000]  600e0aff 00000000 600e1e3e 6050bde0
[    0.080000] Call Trace:
[    0.080000]  [<600e0aff>] ? show_stack+0x0/0x34
[    0.080000]  [<6020cc9f>] ? erofs_bread+0x1ff/0x370
[    0.080000]  [<6020b301>] {0}+0x111/0xb20
[    0.080000] Call Trace:
[    0.080000]  [<6020b301>] ? another+0x111/0xb20
"""

# In the place of fuzz/kernel/replay: where there is a name, the death happens again, and is called
# that.
REPLAY = r"""#!/bin/sh
name=$(cat "$1/name") || { echo 'no crash, with the last 2 inputs'; exit 1; }
mkdir -p "$1/minimised" && printf 12 >"$1/minimised/1" &&
sed "s/erofs_iget/$name/" <"$1/cause" >"$1/minimised.log"
echo "crash with 1 input, the last of 2 bytes, 2 of them not zero: KASAN-$1-in-$name"
"""


def test_deaths(where):
    """What a kernel's launcher has kept is put together by what it is called when it is
    repeated."""
    write(f"{where}/replay", REPLAY)
    os.chmod(f"{where}/replay", 0o755)
    for number, name in enumerate(("erofs_a+erofs_b", "erofs_c", "erofs_a+erofs_b", "", "erofs_c")):
        death = f"{where}/kernel/deaths/{'hang' if number == 3 else 'fault'}-{number}"
        for file, data in (("input", b"1"), ("cause", KERNEL_LOG.format("erofs_iget")),
                           ("ring/0", b"0" * 100), ("ring/1", b"1")):
            write(f"{death}/{file}", data)
        if name:
            write(f"{death}/name", name)
    target = {"deaths": "{dir}/deaths", "replay": [f"{where}/replay", "{input}"]}
    found, _ = crashes.groups(target, f"{where}/kernel")
    by_signature = {c["signature"]: c for c in found}
    tap.ok(set(by_signature) == {"KASAN-in-erofs_a+erofs_b", "KASAN-in-erofs_c", "hang-3"}
           and len(found) == 3, "three different ones", *found)
    tap.ok([len(c["inputs"]) for _, c in sorted(by_signature.items())] == [2, 2, 1],
           "of as many inputs as are the same", *found)
    again = by_signature["KASAN-in-erofs_c"]
    tap.ok((again["repeats"], again["kind"], again["size"], again["smallest_size"])
           == (True, "crash", 101, 2) and
           again["smallest"].endswith("-1/minimised/1")
           and again["replay"] == f"{where}/replay {again['inputs'][0]}",
           "the size before and after, and the line that repeats it", again)
    tap.ok(again["stack"] == ["crc32c", "erofs_bread", "erofs_c"]
           and again["title"] == "Kernel mode fault at addr N, ip N",
           "its stack when it was repeated: a kernel's calls, no pointers to functions", again)
    hang = by_signature["hang-3"]
    tap.ok((hang["repeats"], hang["kind"], hang["smallest_size"]) == (False, "hang", 101)
           and hang["stack"][-1] == "erofs_iget", "one that does not happen again", hang)


def test_addresses(where):
    """Lines of a program that prints addresses, as a kernel does; called directly, and as large
    code does it."""
    write(f"{where}/traced.c", TRACED)
    for flags in ([], ["-mcmodel=large"]):
        done = tap.run(["gcc", "-g", "-O1", "-no-pie", "-fno-pic", "-fsanitize-coverage=trace-pc",
                        *flags, "traced.c",
                        "-o", "traced"], cwd=where)
        assert done.returncode == 0, done.stderr
        top, coverage.TOP = coverage.TOP, where
        lines = coverage.lines_of({"coverage": {
            "addresses": [f"{where}/traced", "{inputs}"], "binary": f"{where}/traced",
            "files": ["traced.c"],
            "callback": "__sanitizer_cov_trace_pc", "source": where}}, ["input"])["traced.c"]
        coverage.TOP = top
        number = {text: 1 + TRACED[:TRACED.index(text)].count("\n")
                  for text in ("return n - 1", "return n > 1", "argc > 100")}
        got = {text: any(lines.get(n + d) for d in (0, -1)) for text, n in number.items()}
        known = {text: any(n + d in lines for d in (0, -1)) for text, n in number.items()}
        tap.ok(all(known.values()) and got == {"return n - 1": False, "return n > 1": True,
                                               "argc > 100": True},
               f"addresses become lines {' '.join(flags)}", got, known, lines)


class Tags(HTMLParser):
    """Ids and links of a page."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """One of them."""
        self.ids += [v for k, v in attrs if k == "id"]
        self.links += [v for k, v in attrs if k in ("href", "src", "xlink:href")]


def test_page(where, report):
    """All on one page that works anywhere."""
    page = read(f"{where}/out/report.html")
    tags = Tags(page)
    tap.ok(len(set(tags.ids)) == len(tags.ids), "each id once", sorted(tags.ids))
    tap.is_empty([u for u in tags.links if not u.startswith("#") and u != "report.json"],
                 "no link leads elsewhere")
    tap.is_empty([u for u in tags.links if u.startswith("#") and u[1:] not in tags.ids],
                 "no link leads nowhere")
    tap.is_empty([c["id"] for c in report["targets"][0]["crashes"] if c["id"] not in tags.ids],
                 "each crash is on the page")
    tap.ok("a toy with &lt;defects&gt; &amp; more" in page and "<defects>" not in page,
           "text is text")
    tap.ok(page.count("<svg ") == 4 and "#0102" not in page and "#0a0b" not in page,
           "four plots, in the page's colours")
    browser = Browser()
    try:
        for width in (DESK, PHONE):
            browser.open(f"file://{where}/out/report.html", width)
            tap.ok(browser.ask("document.documentElement.scrollWidth") <= width,
                   f"it fits {width} pixels")
            lines = browser.ask("[...document.querySelectorAll('svg')].filter(s => "
                                "s.getBoundingClientRect().width > 250).length")
            tap.ok(lines == 4, f"the plots are there at {width} pixels", lines)
            if len(sys.argv) > 1:
                browser.picture(f"{sys.argv[1]}/report-{width}.png")
    finally:
        browser.close()


def test_nothing(where):
    """No crash is said to be none."""
    for path in glob.glob(f"{where}/campaign/crashes/*"):
        os.unlink(path)
    write(f"{where}/campaign/sync/main/plot_data", "# relative_time, ...\n")
    done = make_report(where, "toy", "--dir", f"{where}/campaign")
    page = read(f"{where}/out/report.html")
    tap.ok(done.returncode == 0 and "no crash" in page and "No input fails" in page,
           "without crashes and plots: so it says", done.stderr, re.findall("no [a-z]+", page))


def test_not_known(where):
    """Unknown values are not shown as figures."""
    os.unlink(f"{where}/toy-coverage")
    done = make_report(where, "toy", "--dir", f"{where}/campaign")
    cover = json.loads(read(f"{where}/out/report.json"))["targets"][0]["coverage"]
    tap.ok(done.returncode == 0 and set(cover) == {"missing"} and "no coverage" in done.stderr,
           "coverage that cannot be measured is missing, and why", cover, done.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="report-") as where:
        build(where)
        test_mistakes(where)
        done = make_report(where, "toy", "--dir", f"{where}/campaign")
        if tap.ok(done.returncode == 0, "a report is made", done.stdout, done.stderr):
            report = json.loads(read(f"{where}/out/report.json"))
            target = report["targets"][0]
            subject = subprocess.run(["git", "log", "-1", "--format=%h %s"], cwd=TOP,
                                     capture_output=True, text=True, check=True)
            tap.ok(report["commit"] == subject.stdout.strip(), "it names the commit")
            test_figures(target)
            test_coverage(target)
            test_crashes(where, target)
            test_page(where, report)
        test_deaths(where)
        test_addresses(where)
        test_nothing(where)
        test_not_known(where)
    tap.done()


if __name__ == "__main__":
    main()
