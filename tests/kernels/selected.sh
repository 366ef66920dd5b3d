#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Runs the selection of tests on the kernel that runs: in a guest, or on this
# machine. Prints TAP, with the plan as its last line.
# What a test writes into the folder $RP_SEEN is kept for each kernel.
set -u
cd "$(dirname "$0")/../.." || exit 1

export RP_SEEN=${RP_SEEN:?}
export HELPERS=$PWD/build/helpers BENCH=$PWD/build/bench
export REUSEPORTCTL=$PWD/build/reuseportctl
number=0

# Those of one file, numbered on. A program that ends early, or tests nothing, is a
# failure as well.
relay() {
	local line planned= seen=0 file=$1
	while IFS= read -r line; do
		case $line in
		1..*)
			planned=${line#1..}
			continue
			;;
		"ok "* | "not ok "*)
			seen=$((seen + 1)) number=$((number + 1))
			line=${line%%ok *}ok\ $number\ ${line#*ok * }
			;;
		esac
		printf '%s\n' "$line"
	done
	if [ "$seen" -eq 0 ] || [ "$seen" != "$planned" ]; then
		number=$((number + 1))
		echo "not ok $number $file: $seen of ${planned:-?} tests were run"
	fi
}

# run FILE REGEX. No standard input of ours, which is the selection.
run() {
	local file=$1 regex=$2 start=$SECONDS
	# A timing after each name: what is slow on a kernel is seen. It ends when this does.
	relay "$file" < <(exec setpriv --pdeathsig TERM timeout -k 10 "$((200 * ${RP_PATIENCE:-1}))" \
		bats --tap --timing ${regex:+--filter "$regex"} "$file" 2>&1 </dev/null)
	echo "# $file${regex:+ $regex} took $((SECONDS - start)) s"
}

while read -r file regex; do
	case $file in
	'' | \#*) ;;
	*) run "$file" "$regex" ;;
	esac
done <tests/kernels/selection

# What other compilers made of the BPF programs.
for verify in build/*/helpers/verify; do
	HELPERS=$PWD/$(dirname "$verify") run tests/kernels/verifier.bats ""
done

gojq -n --arg name "${RP_KERNEL:-host}" --arg release "$(uname -r)" \
	--arg accel "${RP_ACCEL:-none}" --argjson seconds "$SECONDS" --argjson tests "$number" \
	'{$name, $release, $accel, $seconds, $tests}' >"$RP_SEEN/kernel.json"
echo "1..$number"
