#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds and runs the tests, then runs them again with AddressSanitizer and
# UBSan, those of the BPF programs with a newer clang's, and a part of all on other
# kernels. Prints TAP; the last line is "N passed, N failed, N skipped".
#   run.sh [--no-sanitizers] [--no-compilers] [--no-kernels] [--jobs N]
#          [--clang CLANG] [--libbpf PREFIX] [--bpf | FILE...]
# Two files run at a time, or as many as --jobs says.
# FILE is a bats file or a unit test's source; default is all of them. With a FILE
# there are no other kernels, and no other compiler but what is asked for:
#   --bpf            only those that prove the BPF programs, without sanitizers
#   --clang CLANG    then also with BPF programs that this compiler made, in a build
#                    of its own, build/CLANG: FILE..., or those that prove them
#   --libbpf PREFIX  likewise with the libbpf that is installed there, in build/libbpf
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
	echo "tests/run.sh [--no-sanitizers] [--no-compilers] [--no-kernels] [--jobs N]" \
		"[--clang CLANG] [--libbpf PREFIX] [--bpf | FILE...]"
}

proof=(tests/kernels/verifier.bats tests/net/{hash_parity,policies,sticky,migration}.bats)
sanitizers=yes compilers=yes kernels=yes jobs=2
files=() others=()
while [ $# -gt 0 ]; do
	case $1 in
	--no-sanitizers) sanitizers= ;;
	--no-compilers) compilers= ;;
	--no-kernels) kernels= ;;
	--jobs) jobs=${2:-}; shift
		case $jobs in [1-9]) ;; *) usage >&2; exit 2 ;; esac ;;
	--bpf) files=("${proof[@]}") sanitizers= ;;
	--clang) others+=("build/$(basename "${2:-}") CLANG=${2:-}"); shift
		command -v "${1:-}" >/dev/null || { echo "run.sh: no compiler '${1:-}'" >&2; exit 2; } ;;
	--libbpf) others+=("build/libbpf LIBBPF=${2:-}"); shift
		[ -d "${1:-}/include/bpf" ] || { echo "run.sh: no libbpf in '${1:-}'" >&2; exit 2; } ;;
	--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) [ -f "$1" ] || { echo "run.sh: no file $1" >&2; exit 2; }; files+=("$1") ;;
	esac
	shift
done
if [ ${#files[@]} -gt 0 ]; then
	proof=("${files[@]}")
	kernels=
else
	shopt -s nullglob
	files=(tests/unit/*.c tests/{tree,api,cli,net,servers,kernels}/*.bats)
	shopt -u nullglob
	[ -z "$compilers" ] || others+=("build/clang-19 CLANG=clang-19")
fi
[ "$(id -u)" -eq 0 ] || { echo "run.sh: the tests need root" >&2; exit 1; }

# Part of the namespaces' names: what belongs to this run.
export RP_RUN=$$-$RANDOM
# No warning passes.
export WERROR=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source tests/bash/left_over.bash
passed=0 failed=0 skipped=0
running=()
number=0

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

# without_our_c FILE: what it tests is done by the kernel, by servers or by tools;
# what of our C it runs others run under the sanitizers as well.
without_our_c() {
	case $1 in
	tests/tree/* | tests/servers/* | tests/kernels/* | tests/cli/bpftool.bats) true ;;
	tests/net/hash_parity.bats | tests/net/counters.bats) true ;;
	tests/net/migration.bats | tests/net/worker_dies.bats) true ;;
	*) false ;;
	esac
}

# one FILE BUILD NUMBER: runs it into $work/NUMBER.tap, with its status after it.
one() {
	local program status start=$SECONDS

	echo "# $1${RP_SANITIZED:+, sanitized}" >"$work/$3.tap"
	if [ "${RP_SANITIZED:-}" ] && without_our_c "$1"; then
		echo "ok 1 $1 # skip none of our C that others do not run too" >>"$work/$3.tap"
		echo 0 >"$work/$3.status"
		return
	fi
	case $1 in
	*.c)
		program=$2/unit/$(basename "$1" .c)
		CMOCKA_MESSAGE_OUTPUT=TAP "$program" >>"$work/$3.tap" 2>&1
		;;
	*)
		timeout -k 10 600 bats --tap "$1" >>"$work/$3.tap" 2>&1
		;;
	esac
	status=$?
	echo "# $1 took $((SECONDS - start)) s" >>"$work/$3.tap"
	echo $status >"$work/$3.status"
}

# Prints and counts what has ended.
reap() {
	local number

	for number in "${!running[@]}"; do
		[ -e "$work/$number.status" ] || continue
		cat "$work/$number.tap"
		count "$work/$number.tap" "$(cat "$work/$number.status")"
		unset "running[$number]"
	done
}

# run BUILD: each file has namespaces of its own, so two may run at a time: most of
# their time is spent waiting.
run() {
	local file

	for file in "${files[@]}"; do
		number=$((number + 1))
		running[$number]=$file
		one "$file" "$1" $number &
		while [ ${#running[@]} -ge "$jobs" ]; do
			wait -n
			reap
		done
	done
	while [ ${#running[@]} -gt 0 ]; do
		wait -n
		reap
	done
	left_over >"$work/left"
	cat "$work/left"
	failed=$((failed + $(grep -c . "$work/left")))
}

# with BUILD [VARIABLE=VALUE...]: builds there, and runs the files with that.
with() {
	echo "# build $*"
	make --no-print-directory -s -f bench/bench.mk BUILD="$@" all helpers unit "$1/bench/runtime" || exit 1
	export HELPERS=$PWD/$1/helpers BENCH=$PWD/$1/bench
	export REUSEPORTCTL=$PWD/$1/reuseportctl
	run "$1"
}

with build

if [ "$sanitizers" ]; then
	make --no-print-directory -s SANITIZE=1 all unit library-helpers || exit 1
	# To files, so that reports of processes in the background are seen.
	export RP_SANITIZED=1 RP_REPORTS=$work/reports
	mkdir "$RP_REPORTS"
	export ASAN_OPTIONS=log_path=$RP_REPORTS/asan:detect_leaks=1
	export UBSAN_OPTIONS=log_path=$RP_REPORTS/ubsan:print_stacktrace=1
	export REUSEPORTCTL=$PWD/build/asan/reuseportctl
	run build/asan
	while read -r report; do
		echo "not ok - $(basename "$report")"
		cat "$report"
		failed=$((failed + 1))
	done < <(sanitizer_reports)
	unset RP_SANITIZED RP_REPORTS ASAN_OPTIONS UBSAN_OPTIONS
fi

files=("${proof[@]}")
for other in "${others[@]}"; do
	# What another libbpf is in is not told from what this one will be in.
	[[ $other != build/libbpf* ]] || rm -rf build/libbpf
	# shellcheck disable=SC2086 # words
	with $other
done

# Guests want both processors, so they come last.
if [ "$kernels" ]; then
	KERNELS=${KERNELS:-6.1 6.12} tests/kernels/run.sh --tap 2>&1 | tee "$work/kernels"
	count "$work/kernels" "${PIPESTATUS[0]}"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
