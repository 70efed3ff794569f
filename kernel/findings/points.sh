# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034 # failed: finish, in those two
# Test points of the findings' reproducers, for guest.sh and erofs-utils.sh.

failed=0
points=0

trouble() {
	echo "$0: $*" >&2
	exit 2
}

# point TEXT COMMAND...: one test point, which holds if the command succeeds.
point() {
	text=$1
	shift
	points=$((points + 1))
	if "$@"; then
		echo "ok $points - $text"
	else
		echo "not ok $points - $text"
		failed=1
		point_failed
	fi
}

# What else is to be done where a point fails.
point_failed() {
	:
}
