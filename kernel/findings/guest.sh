# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh For the findings that one image shows, which read this file: look.c mounts it
# in the guest that GUEST names (plain). Provides $top, the directory $work that goes when they end,
# image, look, $images, make_images, steps, said, logged, quiet, both, point and finish.

top=$(cd "$(dirname "$0")/../../.." && pwd)
guest=${GUEST:-plain}
# shellcheck disable=SC1091 # kernel/findings/points.sh
. "$top/kernel/findings/points.sh"

# image FROM OFFSET=BYTES...: $work/image, an image with other bytes.
image() {
	from=$1
	shift
	"$top/kernel/findings/edit-image" "$top/$from" "$work/image" "$@" \
		|| trouble "cannot make an image of $from"
}

# in_guest PROGRAM...: with options of run-guest before the program. What it prints is in
# $work/said, the kernel's log in $work/log, and complaints of the kernel, if there are any, in
# $work/why. The guest may take SECONDS_GIVEN (60).
in_guest() {
	"$top/kernel/uml/run-guest" --guest "$guest" --timeout "${SECONDS_GIVEN:-60}" --log \
		"$work/log" "$@" \
		>"$work/said" 2>"$work/why"
	if [ $? = 2 ]; then
		cat "$work/why" >&2
		trouble "the guest could not be run"
	fi
	sed 's/^/# /' "$work/said"
	grep '^# run-guest' "$work/why"
}

# look file|disk FILE[:FILE...] DO: mounts $work/image, and does what look.c says.
look() {
	if [ "$1" = disk ]; then
		set -- "$2" "$3" /dev/ubda --disk "$work/image"
	else
		set -- "$2" "$3" "$work/image" --file "$work/image"
	fi
	file=$1 what=$2 mounted=$3
	shift 3
	in_guest "$@" "$top/build/findings/look" "IMAGE=$mounted" "FILE=$file" "DO=$what"
}

# make_images: runs the finding's make-images, which writes into $images.
make_images() {
	mkdir "$images"
	PYTHONPATH="$top/kernel/findings" /usr/bin/python3 -B "$(dirname "$0")/make-images" \
		"$images" ||
		trouble "cannot make the images"
}

# steps STEPS [OPTION...]: does what steps.c says. The guest can read what is in $images; options of
# run-guest, as --disk, may follow.
steps() {
	what=$1
	shift
	for file in "$images"/*; do
		set -- "$@" --file "$file"
	done
	in_guest "$@" "$top/build/findings/steps" "STEPS=$what"
}

said() {
	grep -q "$1" "$work/said"
}

logged() {
	grep -q "$1" "$work/log"
}

quiet() {
	! grep -q '^# run-guest' "$work/why"
}

both() {
	"$1" "$2" && "$3"
}

# Keeps the first log with a complaint.
point_failed() {
	quiet || [ -e "$work/worst" ] || cp "$work/log" "$work/worst"
}

# finish: the plan, what the kernel said when it first complained, and the exit status.
finish() {
	echo "1..$points"
	if [ -e "$work/worst" ]; then
		printf '\n%s\n\n' "The kernel's log of the first complaint, from the mount on:"
		sed -n '/erofs (device/,$p' "$work/worst" | head -n 50
	fi
	exit "$failed"
}

make -s -C "$top" build/findings/look build/findings/steps >&2 || exit 2
mkdir -p "$top/build/findings"
work=$(mktemp -d "$top/build/findings/look.XXXXXX") || exit 2
images=$work/images
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$top/kernel/uml/describe-guest" "$guest"
