# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the tests of the command line share: a message and its form, what "it
# changed nothing" means, other tools' programs on a group.
load ../bash/lib.bash

# -------------------------------------------------------------------- messages

# own_lines: of $stderr. Processes of other tests, which run meanwhile, may hang.
own_lines() {
	sed '/^reuseportctl: process [0-9]* ([^)]*) does not let itself be inspected: skipped$/d' \
		<<<"$stderr"
}

# refused STATUS CMD...: fails with this status, one line on standard error, in
# $message, and nothing on standard output.
refused() {
	local wanted=$1
	shift
	run --separate-stderr "$@"
	message=$(own_lines)
	equal "$status" "$wanted" "exit status, with '$output' and '$stderr'"
	equal "$output" "" "standard output"
	equal "$(wc -l <<<"$message")" 1 "lines on standard error, of '$stderr'"
	[[ $message == "reuseportctl"* ]] || fail "who speaks: '$message'"
}

# says WORDS...: each is part of the message.
says() {
	local words
	for words in "$@"; do
		[[ $message == *"$words"* ]] || fail "'$words' is not in: $message"
	done
}

says_not() {
	[[ $message != *"$1"* ]] || fail "'$1' is in: $message"
}

# succeeds CMD...: with nothing on standard error.
succeeds() {
	run --separate-stderr "$@"
	equal "$status" 0 "exit status, with '$stderr'"
	equal "$(own_lines)" "" "standard error"
}

# ------------------------------------------------------------------- the group

# What decides, and who is where: "nothing was changed" means that it is the same.
rules_and_workers() {
	status "$1" "${2:-tcp}" '[.rules, [.workers[] | [.slot, .cookie, .weight, .state]]] | tojson'
}

# The counts of "client" by worker, "COOKIE COUNT".
answered() {
	cut -d' ' -f2 "$1" | sort -n | uniq -c | awk '{ print $2, $1 }'
}

serves() {
	local port=$1 proto=${2:-tcp}
	client --to "127.0.0.1:$port" --proto "$proto" --count 20 >"$BATS_TEST_TMPDIR/answers"
	equal "$(wc -l <"$BATS_TEST_TMPDIR/answers")" 20 "answers"
}

# Name of the program on the group, "null" if none, "" if there is no group.
program_on() {
	"$REUSEPORTCTL" list --netns "$NS" --port "$1" --proto "${2:-tcp}" --json 3>&- |
		jq -r '.groups[].program | if . then .name else "null" end'
}

program_id_on() {
	"$REUSEPORTCTL" list --netns "$NS" --port "$1" --proto "${2:-tcp}" --json 3>&- |
		jq -r '.groups[].program.id'
}

# Never steered: no pin, no program, no keeper, and the server answers.
untouched() {
	equal "$(pins_of "$NS_INODE")" "" "pins"
	wait_until 2 no_tools_of "$NS"
	equal "$(program_on "$1" "${2:-tcp}" | sort -u | grep -v '^null$' || true)" "" "program"
	serves "$1" "${2:-tcp}"
}

# Directory of the pins of the one attachment on a port.
pin_of() {
	status "$1" "${2:-tcp}" .pin
}

# A worker under another name, which is what "comm" says.
start_named() {
	local name=$1 out
	shift
	out=$BATS_TEST_TMPDIR/named.$((named_count = ${named_count:-0} + 1))
	cp "$HELPERS/worker" "$BATS_TEST_TMPDIR/$name"
	spawn "$out" "$BATS_TEST_TMPDIR/$name" "$@"
	worker_pid=$spawned
	wait_until 10 grep -q '^ready' "$out" || fail "$name $* is not ready"
}

# ------------------------------------------------------- other tools' programs

build_foreign() {
	local here=$RP_ROOT/tests/helpers
	clang -g -O2 -target bpf -idirafter "/usr/include/$(gcc -print-multiarch)" \
		-c "$here/foreign.bpf.c" -o "$BATS_FILE_TMPDIR/foreign.bpf.o"
	gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/foreign" \
		"$here/foreign.c" -lbpf
}

# foreign PID WHAT [OPTION]...: see foreign.c; prints the program's id.
foreign() {
	local pid=$1 what=$2
	shift 2
	"$BATS_FILE_TMPDIR/foreign" "$@" "$pid" "$what" "$BATS_FILE_TMPDIR/foreign.bpf.o"
}
