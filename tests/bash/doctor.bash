# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What doctor finds, on top of lib.bash.

# shellcheck disable=SC2154 # variables from lib.bash and from bats

# doctor STATUS ARGS...: the findings, as JSON in $findings.
doctor() {
	local wanted=$1
	shift
	run --separate-stderr ctl doctor --json "$@"
	findings=$output
	echo "$findings" "$stderr"
	equal "$status" "$wanted" "exit status"
	jq -e '.version == 1 and (.findings | all(.name and .severity and .text
		and (.evidence | type == "object") and (.mend | type == "string")
		and (.group | type == "object" or type == "null")))' <<<"$findings" >/dev/null ||
		fail "not the form: $findings"
}

# of NAME FILTER: a value of each finding of that name.
of() {
	jq -r --arg name "$1" ".findings[] | select(.name == \$name) | $2" <<<"$findings"
}

# found NAME SEVERITY [N]: so often, in the last look.
found() {
	equal "$(of "$1" .severity | sort | uniq -c | awk '{ print $1, $2 }')" "${3:-1} $2" \
		"findings named $1"
}

not_found() {
	equal "$(of "$1" .text)" "" "findings named $1"
}

# mend NAME: does what the first finding of that name says, as it says it.
mend() {
	local command
	command=$(of "$1" .mend | head -n 1)
	[ -n "$command" ] || fail "$1 has no command"
	PATH=$(dirname "$REUSEPORTCTL"):$PATH bash -c "$command" 3>&- || fail "failed: $command"
	record_bpf
}

# mended NAME STATUS ARGS...: the command of the last finding makes it disappear.
mended() {
	local name=$1
	shift
	mend "$name"
	doctor "$@"
	not_found "$name"
}
