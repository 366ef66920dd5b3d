#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The table of kernels and features in docs/kernels.md, from what the kernel matrix has
# left in build/kernels: prints it, or puts it in its place.
#   table.sh [--write]
set -eu
cd "$(dirname "$0")/../.."

# collect: an object for each kernel that was run.
collect() {
	for seen in build/kernels/*/seen; do
		[ -e "$seen/features.json" ] || continue
		at=${seen%/seen}
		passed=$(grep '^ok ' "$at/judged" | grep -vci '# skip' || :)
		failed=$(grep -c '^not ok ' "$at/judged" || :)
		skipped=$(grep -ci '^ok .*# skip' "$at/judged" || :)
		cat "$seen"/verifier-*.json 2>/dev/null | jq -s . >"$work/verifier"
		jq -c --arg name "$(basename "$at")" --argjson passed "$passed" \
			--argjson failed "$failed" --argjson skipped "$skipped" \
			--slurpfile run "$seen/kernel.json" --slurpfile cost "$seen/cost.json" \
			--slurpfile verifier "$work/verifier" \
			'. + {$name, $passed, $failed, $skipped, run: $run[0], cost: $cost[0],
			      verifier: $verifier[0]}' "$seen/features.json"
	done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
collect | jq -s -r -f tests/kernels/table.jq >"$work/table"
[ -s "$work/table" ] || { echo "table.sh: nothing was seen yet: make check-kernels" >&2; exit 1; }
case ${1:-} in
--write)
	awk -v table="$work/table" '
		/^<!-- \/kernels/ { inside = 0 }
		!inside
		/^<!-- kernels/ { inside = 1; while ((getline line <table) > 0) print line }' \
		docs/kernels.md >"$work/document"
	cat "$work/document" >docs/kernels.md
	;;
'') cat "$work/table" ;;
*) echo "table.sh [--write]" >&2; exit 2 ;;
esac
