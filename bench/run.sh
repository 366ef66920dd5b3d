#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Builds and runs the benchmark, as root: prints a table, and writes all figures
# to BUILD_DIR/bench/results.json.
#   run.sh BUILD_DIR [--rounds N] [--json] [--save] [--only PART]
#
#   --rounds N  of run time and end to end, 7 or more (9)
#   --json      the JSON document on standard output instead of the table
#   --save      also into bench/results/results.json and bench/results/results.txt
#   --only      one part: join, change, host, large, sockopt, build, runtime,
#               endtoend
set -eu
cd "$(dirname "$0")/.."

usage() {
	echo "usage: run.sh BUILD_DIR [--rounds N] [--json] [--save] [--only PART]" >&2
	exit 2
}

build= rounds=9 json= save=
every="join change host large sockopt build runtime endtoend"
parts=$every
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) [ $# -ge 2 ] || usage; rounds=$2; shift ;;
	--only) [ $# -ge 2 ] || usage; parts=$2; shift ;;
	--json) json=1 ;;
	--save) save=1 ;;
	-*) usage ;;
	*) [ -z "$build" ] || usage; build=$1 ;;
	esac
	shift
done
[ -n "$build" ] || usage
case $rounds in *[!0-9]* | '') usage ;; esac
case $parts in join | change | host | large | sockopt | build | runtime | endtoend | "$every") ;; *) usage ;; esac
if [ "$rounds" -lt 7 ] || [ "$rounds" -gt 99 ]; then
	echo "run.sh: --rounds must be 7 to 99, not $rounds" >&2
	exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "run.sh: namespaces and BPF need root; run it with sudo" >&2
	exit 1
fi
if [ -n "$save" ] && [ "$parts" = "${parts#* }" ]; then
	echo "run.sh: --save is for all parts in one run, without --only" >&2
	exit 2
fi

out=$build/bench
log=$out/build.log
mkdir -p "$out"
exec 9>"$out/lock"
flock -n 9 || {
	echo "run.sh: a benchmark is running in $out already" >&2
	exit 1
}
make -s -f bench/bench.mk BUILD="$build" >"$log" 2>&1 || {
	cat "$log" >&2
	exit 1
}
rm -f "$out"/part-*.json

# Ctrl-C reaches the program at work, which cleans up (join, change, host, large, sockopt) or
# has nothing that outlives it; "wait" lets the trap run at once.
child=
stop() {
	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		kill -TERM "$child" 2>/dev/null || :
		wait "$child" || :
	fi
	exit 130
}
trap stop INT TERM HUP

# run NAME PROGRAM ARGUMENTS...: its JSON into part-NAME.json
run() {
	name=$1
	shift
	echo "bench: $name" >&2
	"$@" >"$out/part-$name.json" 9>&- &
	child=$!
	wait "$child" || {
		echo "bench: $name failed" >&2
		exit 1
	}
	child=
}

# The first parts are about an idle machine.
load=$(cut -d ' ' -f 1 /proc/loadavg)
for part in $parts; do
	case $part in
	change)
		run change "$out/change" "$build/reuseportctl" 4 100 ;;
	host)
		# A round goes from no attachment to 200 and back.
		run host "$out/host" "$build/reuseportctl" $(((rounds + 5) / 10)) 0 1 10 64 200 ;;
	large)
		for proto in tcp udp; do
			run "large-$proto" "$out/large" "$build/reuseportctl" $proto 4096 3
		done ;;
	sockopt)
		run sockopt "$out/sockopt" "$build/reuseportctl" "$rounds" ;;
	build)
		run build "$out/build" 9 ;;
	runtime)
		run runtime-flows "$out/runtime" flows 4 "$rounds" 5
		run runtime-known "$out/runtime" known 4 "$rounds" 8
		run runtime-new "$out/runtime" new 4 "$rounds" 8
		for members in 4 64 1024; do
			slices=4
			[ $members -gt 4 ] || slices=8
			for packets in udp tcp; do
				run "runtime-$packets-$members" \
					"$out/runtime" $packets $members "$rounds" $slices
			done
		done ;;
	endtoend)
		for traffic in tcp udp flood; do
			run "endtoend-$traffic" "$out/endtoend" $traffic "$rounds"
		done ;;
	join)
		for members in 4 1000; do
			for proto in tcp udp; do
				run "join-$proto-$members" \
					"$out/join" "$build/reuseportctl" $proto $members 200
			done
		done ;;
	esac
done

cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
# One array of {file, data}: jq 1.6 has no other way to name several inputs.
for file in "$out"/part-*.json; do
	jq -c --arg file "$(basename "$file")" '{ file: $file, data: . }' "$file"
done | jq -s -f bench/results.jq \
	--arg command "sudo bench/run.sh build --rounds $rounds --save" \
	--arg date "$(date -u +%F)" --arg kernel "$(uname -r)" \
	--arg cpu "${cpu:-$(uname -m)}" --argjson cpus "$(nproc)" --argjson load "$load" \
	>"$out/results.json"
rm -f "$out"/part-*.json
jq -r -f bench/table.jq "$out/results.json" >"$out/results.txt"

if [ -n "$save" ]; then
	cp "$out/results.json" "$out/results.txt" bench/results/
fi
if [ -n "$json" ]; then
	cat "$out/results.json"
else
	cat "$out/results.txt"
fi
