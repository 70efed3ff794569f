# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
"""The spec compiler: reads the chapters of the specification, writes what follows from them.

    spec/compile --out DIR [--parts c,html,vectors] [--base DIR] [--core DIR] [--findings DIR]
                 [--proofs FILE] CHAPTER...
    spec/compile --sweep DIR [--base DIR] CHAPTER...
    spec/compile [--core DIR] [--judges DIR]... CHAPTER...
    spec/compile --obligations [--core DIR] CHAPTER...

Exit status: 0 done, 1 the specification has errors (each printed as FILE:LINE: message).
"""

import argparse
import json
import os
import sys

from erofs_ishare.files import read, update_file

from . import advisories, edits, emit_c, emit_codec, emit_html, obligations, parse, vectors

PARTS = ("c", "html", "vectors")


def arguments(argv):
    parser = argparse.ArgumentParser(description="The spec compiler.")
    parser.add_argument("--out", metavar="DIR", help="write what follows from the spec to DIR")
    parser.add_argument("--parts", default=",".join(PARTS),
                        help="what to write: any of c,html,vectors (default: all)")
    parser.add_argument("--sweep", metavar="DIR", help="write the field sweep's images to DIR")
    parser.add_argument("--obligations", action="store_true",
                        help="print what each rule needs and has")
    parser.add_argument("--base", metavar="DIR", help="base images (default: base/ beside the "
                        "first chapter)")
    parser.add_argument("--core", metavar="DIR", help="the core's sources: each rule must have "
                        "its function there")
    parser.add_argument("--judges", metavar="DIR", action="append", help="sources of the checker: "
                        "each rule must be reported in one of these directories")
    parser.add_argument("--findings", metavar="DIR", help="findings in kernels, of which some tell "
                        "users of images what to expect")
    parser.add_argument("--proofs", metavar="FILE", help="the report of the proofs, for the page")
    parser.add_argument("chapters", nargs="+", metavar="CHAPTER")
    args = parser.parse_args(argv)
    args.parts = args.parts.split(",")
    unknown = [p for p in args.parts if p not in PARTS]
    if unknown:
        parser.error(f"--parts: {unknown[0]} is none of {', '.join(PARTS)}")
    if args.base is None:
        args.base = os.path.join(os.path.dirname(args.chapters[0]), "base")
    return args


def c_files(spec):
    """The files for C programs, the prover and the fuzzer."""
    return {"layout.h": emit_c.layout_h(spec), "spec.acsl.h": emit_c.acsl_h(spec),
            "codec.h": emit_codec.codec_h(spec), "codec.c": emit_codec.codec_c(spec),
            "rules.h": emit_c.rules_h(spec), "rules.c": emit_c.rules_c(spec),
            "erofs.dict": emit_c.dictionary(spec)}


def proof_report(path):
    """The report of the proofs, or None."""
    if not path:
        return None
    return json.loads(read(path))


def output(spec, args, errors):
    """Everything that --out asks for: {name: text or bytes}."""
    files = {}
    if "c" in args.parts:
        files.update(c_files(spec))
    if "vectors" in args.parts:
        files.update(vectors.files(spec, args.base, errors))
    if "html" in args.parts:
        files["spec.html"] = emit_html.page(spec, args.core, proof_report(args.proofs))
    return files


def remove_stale(directory, files):
    """Images of vectors that are in the spec no more."""
    for parent, _, names in os.walk(os.path.join(directory, "vectors")):
        for name in names:
            path = os.path.join(parent, name)
            if name.endswith(".erofs") and os.path.relpath(path, directory) not in files:
                os.unlink(path)


def complain(errors, chapters):
    """Print what was found; whether there was anything."""
    for line in errors.lines(chapters):
        print(line, file=sys.stderr)
    return bool(errors.found)


def main(argv):
    """Read; complain or write."""
    args = arguments(argv)
    spec, errors = parse.parse(args.chapters)
    edits.check(spec, errors)
    if args.findings:
        spec.advisories = advisories.read_all(args.findings, errors)
    if args.core:
        obligations.check(spec, args.core, errors)
    if args.judges:
        obligations.check_judges(spec, args.judges, errors)
    if args.obligations:
        print(obligations.table(spec, args.core), end="")
    if complain(errors, args.chapters):
        return 1
    files = output(spec, args, errors) if args.out else {}
    if complain(errors, args.chapters):
        return 1
    for name, data in files.items():
        update_file(os.path.join(args.out, name), data)
    if "vectors" in args.parts and args.out:
        remove_stale(args.out, files)
    if args.sweep:
        for change, data in vectors.sweep_images(spec, args.base):
            update_file(os.path.join(args.sweep, vectors.sweep_name(change)), data)
    return 0

