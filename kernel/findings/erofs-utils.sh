# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh For the findings in erofs-utils, which read this file: builds what they need,
# and provides $mkfs and $fsck, the directory $work that goes when they end, and point.
# EROFS_UTILS=DIRECTORY names other programs to try than those of `make erofs-utils`: a directory
# that holds them, or erofs-utils' source directory with programs that are built.

top=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck disable=SC1091 # kernel/findings/points.sh
. "$top/kernel/findings/points.sh"

# program NAME: where it is.
program() {
	for candidate in "${EROFS_UTILS:-$top/build/tools/bin}/$1.erofs" \
		"${EROFS_UTILS:-}/$1/$1.erofs"; do
		if [ -x "$candidate" ]; then
			echo "$candidate"
			return
		fi
	done
	trouble "no $1.erofs in ${EROFS_UTILS:-build/tools/bin}"
}

# told FILE: what a program said.
told() {
	sed 's/^/# /' "$1"
}

# finish: the plan, and the exit status.
finish() {
	echo "1..$points"
	exit "$failed"
}

[ -n "${EROFS_UTILS:-}" ] || make -s -C "$top" erofs-utils >&2 || exit 2
mkfs=$(program mkfs) || exit 2
fsck=$(program fsck) || exit 2
mkdir -p "$top/build/findings"
work=$(mktemp -d "$top/build/findings/utils.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$fsck" --version | sed -n '1s/^/# /p'
