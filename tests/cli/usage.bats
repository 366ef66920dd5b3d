#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The form of the command line: help, wrong usage, one JSON document.
load common.bash

COMMANDS="attach detach status list policy weight drain undrain admit rollout"
# Those that take options only.
WORDLESS="attach detach status list"

setup() {
	begin_test
}

teardown() {
	end_test
}

# Wrong usage: status 2, nothing on standard output, and a first line that says
# what is wrong.
wrong() {
	run --separate-stderr "$REUSEPORTCTL" "$@"
	equal "$status" 2 "exit status of '$*'"
	equal "$output" "" "standard output"
	message=$stderr
}

# The last output is one JSON document with a list of groups.
one_document() {
	equal "$(jq -s length <<<"$output")" 1 "documents"
	jq -e '.groups | type == "array"' <<<"$output" >/dev/null || fail "no groups: $output"
}

@test "usage: --help is success, on standard output" {
	local command
	for command in "" $COMMANDS; do
		succeeds "$REUSEPORTCTL" $command --help
		[[ $output == "Usage: reuseportctl"* ]] || fail "$output"
		[[ $output == *"$command"* ]]
	done
	succeeds "$REUSEPORTCTL" -h
	succeeds "$REUSEPORTCTL" help
	# With other options too, before or after.
	succeeds "$REUSEPORTCTL" attach --port 8080 --help
	succeeds "$REUSEPORTCTL" attach --help --port 8080
}

@test "usage: --help names every command and every option of the contract" {
	local word
	succeeds "$REUSEPORTCTL" --help
	for word in $COMMANDS; do
		[[ $output == *" $word "* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" attach --help
	for word in --port --proto --addr --netns --policy --foreground --wait --force; do
		[[ $output == *" $word "* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" detach --help
	for word in --port --proto --addr --netns; do
		[[ $output == *" $word "* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" status --help
	[[ $output == *--port* && $output == *--json* ]]
	succeeds "$REUSEPORTCTL" list --help
	[[ $output == *--json* ]]
}

@test "usage: --help fits 80 columns" {
	local command
	for command in "" $COMMANDS explain simulate features doctor; do
		succeeds "$REUSEPORTCTL" $command --help
		equal "$(awk 'length > 80' <<<"$output")" "" "long lines of '$command --help'"
	done
}

@test "usage: --version" {
	succeeds "$REUSEPORTCTL" --version
	[[ $output =~ ^reuseportctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$output"
}

@test "usage: no command" {
	wrong
	says "Usage:" attach
}

@test "usage: help COMMAND is the command's --help, -V the version" {
	local command help
	for command in attach status simulate; do
		succeeds "$REUSEPORTCTL" $command --help
		help=$output
		succeeds "$REUSEPORTCTL" help $command
		equal "$output" "$help" "help $command"
	done
	succeeds "$REUSEPORTCTL" --version
	help=$output
	succeeds "$REUSEPORTCTL" -V
	equal "$output" "$help" "-V"
	succeeds "$REUSEPORTCTL" help help
	equal "$output" "$("$REUSEPORTCTL" help)"
	run "$REUSEPORTCTL" help attach status
	equal "$status" 2
	run "$REUSEPORTCTL" help atach
	equal "$status" 2
	[[ $output == *"did you mean 'attach'?"* ]] || fail "$output"
}

@test "usage: the command that was meant" {
	local pair
	for pair in atach=attach attahc=attach attachh=attach stat=status roll=rollout xetach=detach; do
		run "$REUSEPORTCTL" "${pair%=*}" --port 8080
		equal "$status" 2
		[[ ${lines[0]} == *"unknown command '${pair%=*}': did you mean '${pair#*=}'?" ]] ||
			fail "$output"
	done
	for pair in foo a statussss ''; do
		run "$REUSEPORTCTL" "$pair"
		equal "$status" 2
		equal "${lines[0]}" "reuseportctl: unknown command '$pair'"
	done
}

@test "usage: the port without its option, an option before the command" {
	wrong attach 8080
	says "unexpected argument '8080': for the port, --port 8080"
	wrong drain --port 8080 slot:0 1
	says_not "for the port"
	wrong --port 8080 status
	says "unknown option '--port': the command comes first"
}

@test "usage: unknown command" {
	wrong attahc --port 8080
	says "'attahc'"
	wrong ''
	wrong --port 8080
}

@test "usage: unknown option" {
	local command
	for command in $COMMANDS; do
		wrong $command --no-such-option --port 8080
		says "'--no-such-option'" "$command --help"
		wrong $command -x
		says "-x"
		wrong $command --no-such-option=5
		says "--no-such-option"
	done
	# Options of other commands.
	wrong detach --port 8080 --policy hash
	says --policy
	wrong status --force
	says --force
	wrong attach --port 8080 --json
	says --json
}

@test "usage: a missing value" {
	local command
	for command in $COMMANDS; do
		wrong $command --port
		says "--port" "value"
	done
	wrong attach --port 8080 --policy
	says "--policy" "value"
	wrong attach --port 8080 --netns
	says "--netns"
}

@test "usage: a value where none belongs" {
	wrong attach --port 8080 --force=yes
	says "--force"
}

@test "usage: an extra word" {
	local command
	for command in $WORDLESS; do
		wrong $command --port 8080 extra
		says "'extra'"
	done
	wrong policy --port 8080 hash extra
	says "'extra'"
	wrong weight --port 8080 slot:0 1 extra
	says "'extra'"
	wrong attach 8080
	wrong status 8080
}

@test "usage: --port is required, and once" {
	wrong attach
	says "--port"
	wrong detach
	says "--port"
	wrong attach --port 8080 --port 8081
	says "--port" once
	wrong detach --port 8080 --port 8081
	says once
}

@test "usage: wrong usage changes nothing" {
	start_worker --port 8080
	wrong attach --netns "$NS" --port 8080 extra
	wrong attach --netns "$NS" --port 8080 --no-such-option
	untouched 8080
}

@test "usage: abbreviations and = are understood as getopt_long does" {
	start_worker --port 8080
	succeeds "$REUSEPORTCTL" attach --netns="$NS" --port=8080 --pol=hash
	in_sync 8080 tcp
}

@test "usage: --json is one document and nothing else, also of nothing" {
	succeeds ctl status --json
	one_document
	equal "$(jq '.groups | length' <<<"$output")" 0 groups
	# A namespace that is named is a filter there.
	run --separate-stderr ctl list --json
	equal "$status" 3 "exit status"
	one_document
	equal "$(jq '.groups | length' <<<"$output")" 0 groups
}

@test "usage: status --json of a port that is not steered" {
	start_worker --port 8080
	run --separate-stderr ctl status --port 8080 --json
	equal "$status" 3 "exit status"
	one_document
	equal "$(jq '.groups | length' <<<"$output")" 0 groups
	equal "${#stderr_lines[@]}" 1 "lines on standard error"
}

@test "usage: --json of steered groups has what the contract says" {
	start_worker --port 8080 --sockets 2
	attach --port 8080
	serves 8080
	succeeds ctl status --port 8080 --json
	one_document
	jq -e --argjson netns "$NS_INODE" '.groups[0] |
		.proto == "tcp" and .family == "inet" and .addr == "0.0.0.0" and .port == 8080
		and .netns == $netns and .policy == "hash"
		and (.keeper.pid | type == "number") and .keeper.running == true
		and (.program.id | type == "number") and (.program.tag | test("^[0-9a-f]{16}$"))
		and (.pin | startswith("/sys/fs/bpf/reuseport/"))' <<<"$output" >/dev/null ||
		fail "group: $output"
	jq -e '.groups[0].workers | length == 2 and all(
		(.slot | type == "number") and (.pid | type == "number")
		and (.pids | type == "array" and length == 1) and .comm == "worker"
		and (.cookie > 0) and .state == "active" and .weight == 1
		and .generation == 0 and .queue == 0 and (.selected | type == "number"))' \
		<<<"$output" >/dev/null || fail "workers: $output"
	jq -e '.groups[0].counters | .selected == 20 and .fallback == 0 and .migrated == 0' \
		<<<"$output" >/dev/null || fail "counters: $output"
}

@test "usage: --json keeps odd names of processes valid" {
	local odd
	# comm has 15 bytes, so the last name is cut in its last character.
	for odd in 'a"b\c' $'tab\there' $'nl\nx' $'\xff\xfe' 'cut-in-a-charü'; do
		start_named "$odd" --port 8080
	done
	attach --port 8080
	succeeds ctl status --port 8080 --json
	one_document
	equal "$(jq '.groups[0].workers | length' <<<"$output")" 5 workers
	jq -e '.groups[0].workers | map(.comm) | index("a\"b\\c") != null' <<<"$output" >/dev/null ||
		fail "names: $output"
	# And one line a worker in the table.
	succeeds ctl status --port 8080
	equal "$(grep -c active <<<"$output")" 5 "lines in: $output"
}

@test "usage: status of several ports" {
	start_worker --port 8080
	start_worker --port 8081
	start_worker --port 8082
	attach --port 8080
	attach --port 8081
	attach --port 8082
	succeeds ctl status --port 8080 --port 8082 --json
	one_document
	equal "$(jq -c '[.groups[].port] | sort' <<<"$output")" "[8080,8082]"
	# One that is steered is enough.
	succeeds ctl status --port 8081 --port 9 --json
	equal "$(jq -c '[.groups[].port]' <<<"$output")" "[8081]"
	# The same port twice is one group.
	succeeds ctl status --port 8080 --port 8080 --json
	equal "$(jq -c '[.groups[].port]' <<<"$output")" "[8080]"
	succeeds ctl status --json
	equal "$(jq -c '[.groups[].port] | sort' <<<"$output")" "[8080,8081,8082]"
}

@test "usage: status for people" {
	local word
	succeeds ctl status
	equal "$output" "nothing is steered"
	start_worker --port 8080 --sockets 2
	attach --port 8080
	serves 8080
	succeeds ctl status --port 8080
	for word in "0.0.0.0:8080" "policy hash" reuseport_steer "keeper $(keeper_pid 8080 tcp)" SLOT PID \
		COMMAND STATE WEIGHT QUEUE SELECTED worker active "packets 20 = selected 20 + fallback 0"; do
		[[ $output == *"$word"* ]] || fail "'$word' is not in: $output"
	done
}

@test "usage: what cannot be written is an error" {
	start_worker --port 8080
	attach --port 8080
	local code=0
	ctl status --port 8080 --json >/dev/full || code=$?
	equal $code 1 "exit status with a full disk"
}
