#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds and runs the tests. Prints TAP, then how long it took; the last line is
# "N passed, N failed, N skipped".
#   run.sh [--all | --more] [--soak] [--jobs N] [--clang CLANG] [--libbpf PREFIX]
#          [--bpf | FILE...]
# FILE is a bats file or a unit test's source; the default is all of them. They run once,
# as built with the system's compilers, and then, if it is asked for:
#   --sanitizers     again with AddressSanitizer and UBSan
#   --compilers      those that prove the BPF programs, with a newer clang's programs
#   --kernels        a selection of all, on other kernels (tests/kernels)
#   --beside         those of joins and restarts again, beside 'reuseportctl keeper' and beside
#                    a server with the library
#   --all            all four
#   --more           all four, and not the plain run before them
#   --bpf            only those that prove the BPF programs
#   --clang CLANG    then FILE..., or those that prove them, with the BPF programs that
#                    this compiler makes, in a build of its own, build/CLANG
#   --libbpf PREFIX  likewise with the libbpf that is installed there, in build/libbpf
#   --soak           what only repeats is repeated in full
#   --jobs N         so many files at a time, otherwise two for each processor
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
	sed -n 's/^# \{0,1\}//; 5,$ { /^set -u/q; p }' tests/run.sh
}

# The files that take longest come first, so that the end is not spent in waiting for one.
longest=(tests/net/doctor.bats tests/cli/{drain,policy}.bats tests/api/installed.bats
	tests/net/{upgrade,scale,explain,hooks,sticky}.bats tests/hostile/{ours,limits}.bats
	tests/cli/weight.bats tests/net/features_disabled.bats tests/cli/{damaged,rollout,foreign}.bats
	tests/net/{policies,rollout,drain,changes,worker_hung,rolling_restart,hash_parity}.bats
	tests/cli/interrupted.bats tests/servers/{recipes_nginx,nginx,recipes_dns}.bats)
joins=(tests/net/{sync,rolling_restart,rollout,drain,sticky}.bats)
proof=(tests/kernels/verifier.bats tests/net/{hash_parity,policies,sticky,migration}.bats)
# What every command on this machine sees, and names on standard error, or what other tests' hooks
# are seen by: after all others.
alone=" tests/hostile/hang.bats tests/net/sockopt_host.bats "
plain=yes sanitizers= compilers= kernels= beside= jobs=$((2 * $(nproc)))
files=() others=()
while [ $# -gt 0 ]; do
	case $1 in
	--sanitizers) sanitizers=yes ;;
	--no-*) ;;
	--compilers) compilers=yes ;;
	--kernels) kernels=yes ;;
	--beside) beside=yes ;;
	--all) sanitizers=yes compilers=yes kernels=yes beside=yes ;;
	--more) sanitizers=yes compilers=yes kernels=yes beside=yes plain= ;;
	--soak) export RP_SOAK=1 ;;
	--jobs) jobs=${2:-}; shift
		case $jobs in [1-9] | [1-9][0-9]) ;; *) usage >&2; exit 2 ;; esac ;;
	--bpf) files=("${proof[@]}") ;;
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
	proof=("${files[@]}") plainly=("${files[@]}")
else
	shopt -s nullglob
	mapfile -t files < <(ls -U "${longest[@]}" tests/*/*.bats tests/unit/*.c 2>/dev/null |
		awk '!seen[$0]++')
	# What noise does shows under the sanitizers.
	mapfile -t plainly < <(printf '%s\n' "${files[@]}" | grep -v '^tests/fuzz/')
	shopt -u nullglob
fi
[ -z "$compilers" ] || others+=("build/clang-19 CLANG=clang-19")
[ "$(id -u)" -eq 0 ] || { echo "run.sh: the tests need root" >&2; exit 1; }

# Part of the namespaces' names: what belongs to this run.
export RP_RUN=$$-$RANDOM
# No warning passes.
export WERROR=1
export HELPERS=$PWD/build/helpers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source tests/bash/left_over.bash
passed=0 failed=0 skipped=0
running=()
number=0
# After that a file's tests are ended. The longest take a minute where nothing else runs, and
# several times as long on a slow machine with the sanitizers.
limit=${RP_SOAK:+3600}
limit=${limit:-1200}

# ------------------------------------------------------------------ one file

# count FILE STATUS: of one program's TAP output.
count() {
	local ok bad skip

	ok=$(grep -c '^ok ' "$1")
	bad=$(grep -c '^not ok ' "$1")
	skip=$(grep -ci '^ok .*# skip' "$1")
	# A program that fails without saying so is a failure as well, and so is
	# one that tests nothing.
	if { [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; } || [ $((ok + bad)) -eq 0 ]; then
		echo "not ok - exit status $2" | tee -a "$1"
		bad=$((bad + 1))
	fi
	passed=$((passed + ok - skip))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

# failures TAP: its failed tests are noted under the TAP's first line, each with the last that
# it said, for the end of the run.
failures() {
	local first

	read -r _ first <"$1"
	awk -v first="$first" -v said=12 '
		function tell(i) {
			if (test != "")
				print "# failed: " first ": " test
			for (i = n > said ? n - said + 1 : 1; test != "" && i <= n; i++)
				print "#   " line[i]
			test = ""
			n = 0
		}
		/^(not )?ok /	{ tell() }
		/^not ok /	{ test = $0; sub(/^not ok [0-9]* */, "", test); next }
		test != "" && !/^# tests\/.* took /	{ line[++n] = substr($0, 3) }
		END		{ tell() }' "$1" >>"$work/failed"
}

# reports_to FOLDER: those of the sanitizers go to files, so that those of processes in the
# background are seen; of each file's tests to a folder of their own, as others run meanwhile.
reports_to() {
	mkdir -p "$1"
	export RP_REPORTS=$1
	export ASAN_OPTIONS=log_path=$1/asan:detect_leaks=1
	export UBSAN_OPTIONS=log_path=$1/ubsan:print_stacktrace=1
}

# one FILE BUILD NUMBER: runs it into $work/NUMBER.tap, with its status after it.
one() {
	local program status start=$SECONDS

	[ -z "${RP_SANITIZED:-}" ] || reports_to "$work/reports/$3"
	echo "# $1${RP_SANITIZED:+, sanitized}${RP_BESIDE:+, beside a $RP_BESIDE}" >"$work/$3.tap"
	case $1 in
	*.c)
		program=$2/unit/$(basename "$1" .c)
		CMOCKA_MESSAGE_OUTPUT=TAP "$program" >>"$work/$3.tap" 2>&1
		;;
	*)
		timeout -k 10 "$limit" bats --tap "$1" >>"$work/$3.tap" 2>&1
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
		failures "$work/$number.tap"
		unset "running[$number]"
	done
}

# ------------------------------------------------------------------- all files

# start FILE BUILD JOBS: beside so many others at most.
start() {
	while [ ${#running[@]} -ge "$3" ]; do
		wait -n
		reap
	done
	number=$((number + 1))
	running[$number]=$1
	one "$1" "$2" $number &
}

# run BUILD FILE...: each has namespaces of its own, so several may run at a time: much
# of their time is spent waiting.
run() {
	local file build=$1
	shift

	for file; do
		[[ $alone == *" $file "* ]] || start "$file" "$build" "$jobs"
	done
	for file; do
		[[ $alone != *" $file "* ]] || start "$file" "$build" 1
	done
	while [ ${#running[@]} -gt 0 ]; do
		wait -n
		reap
	done
	left_over | tee "$work/left"
	sed 's/^not ok - /# failed: /' "$work/left" >>"$work/failed"
	failed=$((failed + $(grep -c . "$work/left")))
}

build() {
	echo "# build $*"
	make --no-print-directory -s -j "$(nproc)" -f bench/bench.mk BUILD="$@" all helpers examples unit "$1/bench/runtime"
}

# with BUILD [VARIABLE=VALUE...]: builds there, and runs what proves the BPF programs.
with() {
	build "$@" || exit 1
	HELPERS=$PWD/$1/helpers BENCH=$PWD/$1/bench REUSEPORTCTL=$PWD/$1/reuseportctl \
		run "$1" "${proof[@]}"
}

# without_our_c FILE: what it tests is done by the kernel, by servers or by tools;
# what of our C it runs others run under the sanitizers as well.
without_our_c() {
	case $1 in
	tests/tree/* | tests/servers/* | tests/examples/* | tests/kernels/*) true ;;
	tests/api/growth.bats | tests/api/python.bats | tests/cli/bpftool.bats) true ;;
	tests/net/hash_parity.bats | tests/net/counters.bats) true ;;
	tests/net/migration.bats | tests/net/worker_dies.bats) true ;;
	tests/net/scale.bats | tests/net/features_disabled.bats | tests/net/socket_layouts.bats) true ;;
	tests/net/slices.bats | tests/net/changes.bats | tests/net/sockopt_host.bats) true ;;
	tests/net/group_recreated.bats | tests/net/cpu_numa.bats | tests/net/lookups.bats) true ;;
	tests/net/rolling_restart.bats | tests/net/doctor.bats) true ;;
	tests/net/program_watch.bats | tests/net/other_group.bats) true ;;
	tests/net/hooks.bats | tests/net/upgrade.bats | tests/net/list_shadows.bats) true ;;
	tests/hostile/limits.bats | tests/hostile/ours.bats | tests/hostile/locked.bats) true ;;
	tests/hostile/hardening.bats) true ;;
	tests/cli/foreign.bats | tests/cli/capabilities.bats | tests/cli/kernel.bats) true ;;
	tests/cli/kept.bats) true ;;
	*) false ;;
	esac
}

sanitized() {
	local file ours=() report

	for file in "${files[@]}"; do
		without_our_c "$file" || ours+=("$file")
	done
	echo "# build build/asan"
	make --no-print-directory -s -j "$(nproc)" SANITIZE=1 all unit library-helpers || exit 1
	make --no-print-directory -s fuzz || exit 1
	export RP_SANITIZED=1 REUSEPORTCTL=$PWD/build/asan/reuseportctl
	run build/asan "${ours[@]}"
	# Those that no test has seen.
	while read -r report; do
		echo "not ok - $(basename "$report")"
		{
			echo "# failed: $(basename "$report"), sanitized"
			grep -v '^$' "$report" | head -n 25 | sed 's/^/#   /'
		} >>"$work/failed"
		cat "$report"
		failed=$((failed + 1))
	done < <(for RP_REPORTS in "$work"/reports/*[0-9]; do sanitizer_reports; done)
	unset RP_SANITIZED REUSEPORTCTL
}

# See tests/bash/beside.bash.
beside() {
	for RP_BESIDE in keeper library; do
		export RP_BESIDE
		run build "${joins[@]}"
	done
	unset RP_BESIDE
}

# part NAME COMMAND...: and how long it took.
part() {
	local name=$1 start=$SECONDS status
	shift
	"$@"
	status=$?
	echo "# $name took $((SECONDS - start)) s"
	return $status
}

build build || exit 1
echo "# the build took $SECONDS s"
if [ "$plain" ]; then
	BENCH=$PWD/build/bench REUSEPORTCTL=$PWD/build/reuseportctl part "the plain run" \
		run build "${plainly[@]}"
fi
[ -z "$beside" ] || REUSEPORTCTL=$PWD/build/reuseportctl part "the run beside keepers" beside
[ -z "$sanitizers" ] || part "the sanitized run" sanitized
for other in "${others[@]}"; do
	# What another libbpf is in is not told from what this one will be in.
	[[ $other != build/libbpf* ]] || rm -rf build/libbpf
	# shellcheck disable=SC2086 # words
	part "${other%% *}" with $other
done

# Guests want both processors, so they come last.
if [ "$kernels" ]; then
	KERNELS=${KERNELS:-6.1 6.12} part "other kernels" tests/kernels/run.sh --tap 2>&1 |
		tee "$work/kernels"
	count "$work/kernels" "${PIPESTATUS[0]}"
	sed -i '1i# other kernels' "$work/kernels"
	failures "$work/kernels"
fi

[ ! -s "$work/failed" ] || cat "$work/failed"
echo "# took $((SECONDS / 60)) min $((SECONDS % 60)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
