#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The mutator, with the sanitizers.

exec build/asan/fuzz/mutator/mutator_test
