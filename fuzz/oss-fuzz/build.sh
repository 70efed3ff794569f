#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# Called by OSS-Fuzz's base-builder, which sets SRC, OUT, CC, CXX, CFLAGS, CXXFLAGS and
# LIB_FUZZING_ENGINE. The fuzzer runs elsewhere: what it needs is linked into it or lies beside it.
set -eu

name=image_fuzzer

cd "$SRC/erofs-ishare"
make -j"$(nproc)" "build/fuzz/oss-fuzz/$name" CC="$CC" CXX="$CXX" CFLAGS="$CFLAGS" \
	CXXFLAGS="$CXXFLAGS" \
	deps-fuzz= LIB_FUZZING_ENGINE="$LIB_FUZZING_ENGINE"
cp "build/fuzz/oss-fuzz/$name" "$OUT/"
cp build/spec/erofs.dict "$OUT/$name.dict"
zip -q -j "$OUT/${name}_seed_corpus.zip" fuzz/corpus/image/*
printf '[libfuzzer]\nmax_len = 65536\n' >"$OUT/$name.options"
