#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds and runs the tests, then runs them again with AddressSanitizer and
# UBSan. Prints TAP; the last line is "N passed, N failed, N skipped".
#   run.sh [--no-sanitizers] [FILE...]
# FILE is a bats file or a unit test's source; default is all of them.
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
	echo "tests/run.sh [--no-sanitizers] [FILE...]"
}

sanitizers=yes
files=()
while [ $# -gt 0 ]; do
	case $1 in
	--no-sanitizers) sanitizers= ;;
	--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) [ -f "$1" ] || { echo "run.sh: no file $1" >&2; exit 2; }; files+=("$1") ;;
	esac
	shift
done
if [ ${#files[@]} -eq 0 ]; then
	shopt -s nullglob
	files=(tests/unit/*.c tests/{lib,cli,net,servers}/*.bats)
	shopt -u nullglob
fi
[ "$(id -u)" -eq 0 ] || { echo "run.sh: the tests need root" >&2; exit 1; }

# Part of the namespaces' names: what belongs to this run.
export RP_RUN=$$-$RANDOM
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# count FILE STATUS: of one program's TAP output.
count() {
	local ok bad skip

	ok=$(grep -c '^ok ' "$1")
	bad=$(grep -c '^not ok ' "$1")
	skip=$(grep -ci '^ok .*# skip' "$1")
	# A program that fails without saying so is a failure as well, and so is
	# one that tests nothing.
	if { [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; } || [ $((ok + bad)) -eq 0 ]; then
		echo "not ok - exit status $2"
		bad=$((bad + 1))
	fi
	passed=$((passed + ok - skip))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

# What a bats run that ended early did not clean up. Tests check for themselves.
left_over() {
	local name pid

	for pid in $(grep -lz "^rp-$RP_RUN-" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3); do
		case $(readlink "/proc/$pid/exe") in
		*reuseportctl*)
			echo "not ok - keeper $pid was left behind"
			failed=$((failed + 1))
			kill -KILL "$pid"
			;;
		esac
	done

	for name in $(ip netns list | grep -o "^rp-$RP_RUN-[0-9]*"); do
		echo "not ok - namespace $name was left behind"
		failed=$((failed + 1))
		ip netns pids "$name" | xargs -r kill -KILL
		ip netns del "$name"
	done
}

run() {
	local file build=$1 program

	for file in "${files[@]}"; do
		echo "# $file${RP_SANITIZED:+, sanitized}"
		case $file in
		*.c)
			program=$build/unit/$(basename "$file" .c)
			CMOCKA_MESSAGE_OUTPUT=TAP "$program" 2>&1 | tee "$work/tap"
			;;
		*)
			timeout -k 10 600 bats --tap "$file" 2>&1 | tee "$work/tap"
			;;
		esac
		count "$work/tap" "${PIPESTATUS[0]}"
		left_over
	done
}

make --no-print-directory -s all helpers unit || exit 1
export HELPERS=$PWD/build/helpers
export REUSEPORTCTL=$PWD/build/reuseportctl
run build

if [ "$sanitizers" ]; then
	make --no-print-directory -s SANITIZE=1 all unit library-helpers || exit 1
	# To files, so that reports of processes in the background are seen.
	export RP_SANITIZED=1 RP_REPORTS=$work/reports
	mkdir "$RP_REPORTS"
	export ASAN_OPTIONS=log_path=$RP_REPORTS/asan:detect_leaks=1
	export UBSAN_OPTIONS=log_path=$RP_REPORTS/ubsan:print_stacktrace=1
	export REUSEPORTCTL=$PWD/build/asan/reuseportctl
	run build/asan
	for report in "$RP_REPORTS"/*; do
		[ -e "$report" ] || continue
		echo "not ok - $(basename "$report")"
		cat "$report"
		failed=$((failed + 1))
	done
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
