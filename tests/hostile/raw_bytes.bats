#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Names that strangers choose: of processes and namespaces, and the words on the command
# line. No byte of them moves the cursor, turns the text, or forges a line.
load ../cli/common.bash

setup() {
	begin_test
	PRINTED=$BATS_TEST_TMPDIR/printed
}

teardown() {
	end_test
}

# Each at most 15 bytes, which is what the name of a process has.
NAMES=(
	$'\e]0;pwn\a\e[2J\e[m'       # the terminal's title, clear the screen
	$'a\nb: error: c'            # a further line
	$'\r\t\v\f\b\x01'            # other control characters
	$'\x9b2J\x9d\x90'            # the same as single bytes
	$'\xc2\x9b2J\xc2\x85'        # and in UTF-8: CSI, NEL
	$'\u202eabc\u2066d\u2069'    # the direction of the text
	$'\ufeff\u200b\u200dx\u00ad' # invisible
	$'\u2028\u2029\U000e0041x'   # separators, tags
	$'\xff\xfe\xc0\xaf\xed\xa0\x80' # not UTF-8: overlong, a surrogate
	$'\xf0\x9f\x98x\xe2\x82'     # cut
	$'\x7f\x7f"\'\\x1b\\'        # DEL, quotes, what looks like an escape
	$'%s%n%x $(id)'              # formats
)

# All of them, where there is room for that.
WORD=$(printf %s "${NAMES[@]}")

# clean FILE: its text is one that a terminal of UTF-8 shows as it is, on its lines.
clean() {
	python3 -c '
import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode()
bad = [c for c in text if c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or
	unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"))]
sys.exit("not clean: " + ascii(bad) + " in " + ascii(text) if bad else 0)' "$1"
}

# prints CMD...: what it prints, in $printed, is ASCII that can be seen. In a locale of
# UTF-8 it goes to a file for clean.
prints() {
	LC_ALL=C "$@" >"$PRINTED" 2>&1 3>&- || true
	! LC_ALL=C grep -q '[^ -~]' "$PRINTED" || fail "$*: $(cat -v "$PRINTED")"
	printed=$(<"$PRINTED")
	[ -n "$printed" ] || fail "nothing printed: $*"
	LC_ALL=C.UTF-8 "$@" >>"$PRINTED.utf8" 2>&1 3>&- || true
}

prints_json() {
	prints "$@" --json
	jq -e . <<<"$printed" >/dev/null || fail "no JSON: $printed"
}

# says_no CMD...: it fails, with one line.
says_no() {
	prints "$@"
	equal "$(grep -vc "^Try '" <<<"$printed")" 1 "lines of $* in: $printed"
	[[ $printed == reuseportctl* ]] || fail "not a message: $printed"
}

# Workers with those names, of a user without rights, on a port.
start_named_workers() {
	local name i=0 folder
	folder=$(mktemp -d)
	chmod 755 "$folder"
	for name in "${NAMES[@]}"; do
		cp "$HELPERS/worker" "$folder/${name//\//_}"
		spawn "$BATS_TEST_TMPDIR/named.$((++i))" setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$folder/${name//\//_}" "$@"
		wait_until 10 grep -q '^ready' "$BATS_TEST_TMPDIR/named.$i" || fail "worker $i"
	done
	rm -r "$folder"
}

@test "raw bytes: names of processes, in every command that shows them" {
	local packet="--src 127.0.0.1:40000 --dst 127.0.0.1:8080" n=${#NAMES[@]}
	start_named_workers --port 8080
	prints attach --port 8080
	prints ctl status
	equal "$(grep -c ' active ' <<<"$printed")" "$n" "rows of status: $printed"
	equal "$(wc -l <<<"$printed")" $((n + 3)) "lines of status: $printed"
	[[ $printed == *'\x1b]0;pwn\x07\x1b[2J'* ]] || fail "ESC is not escaped: $printed"
	[[ $printed == *'a\x0ab: error: c'* ]] || fail "a newline is not escaped: $printed"
	[[ $printed == *'\x7f\x7f"'\''\\x1b\\'* ]] || fail "a backslash is not escaped: $printed"
	prints_json ctl status
	jq -e '.groups[0].workers | map(.comm) | index("\u001b]0;pwn\u0007\u001b[2J\u001b[m") != null
		and index("a\nb: error: c") != null and length == '"$n" <<<"$printed" >/dev/null ||
		fail "names in JSON: $printed"
	prints ctl list --who
	equal "$(grep -c '^tcp ' <<<"$printed")" 1 "rows of list: $printed"
	prints_json ctl list --who
	equal "$(jq '.groups[0].processes | map(.comm) | unique | length' <<<"$printed")" "$n" "names"
	prints_json ctl explain $packet
	# Any of them can be meant: without weight for the others it is each in turn.
	prints ctl explain $packet
	for ((i = 0; i < n; i++)); do
		ctl weight --port 8080 "slot:$i" 0 >"$BATS_TEST_TMPDIR/weight" 2>&1
	done
	for ((i = 0; i < n; i++)); do
		ctl weight --port 8080 "slot:$i" 1 >"$BATS_TEST_TMPDIR/weight" 2>&1
		prints ctl explain $packet
		equal "$(grep -c 'pid .*, cookie ' <<<"$printed")" 1 "workers of: $printed"
		ctl weight --port 8080 "slot:$i" 0 >"$BATS_TEST_TMPDIR/weight" 2>&1
	done
	prints ctl simulate --port 8080 --generate 1000
	prints_json ctl simulate --port 8080 --generate 1000
	prints ctl policy --port 8080
	prints ctl policy --port 8080 weighted
	prints ctl drain --port 8080 slot:0
	prints ctl drain --port 8080 slot:0 --wait --timeout 5
	prints ctl undrain --port 8080 slot:0
	prints ctl rollout --port 8080 begin
	prints ctl rollout --port 8080 abort
	kill_keeper 8080 tcp TERM
	prints ctl status
	prints ctl attach --port 8080 --foreground --log "$BATS_TEST_TMPDIR/keeper.log" --slots 3
	prints ctl detach --port 8080
	clean "$PRINTED.utf8"
	clean "$BATS_TEST_TMPDIR/keeper.log"
	! grep -v '^[0-9-]* [0-9:.]* reuseportctl: ' "$BATS_TEST_TMPDIR/keeper.log" ||
		fail "a forged line"
}

@test "raw bytes: names of processes, in the messages of attach" {
	local name port=8080
	start_named_workers --no-reuseport --reuseaddr --proto udp --port 5300
	# Without SO_REUSEPORT, with the name of the process.
	for name in "${NAMES[@]}"; do
		cp "$HELPERS/worker" "$BATS_TEST_TMPDIR/${name//\//_}"
		spawn "$BATS_TEST_TMPDIR/alone.$port" "$BATS_TEST_TMPDIR/${name//\//_}" \
			--no-reuseport --port $port
		wait_until 10 grep -q '^ready' "$BATS_TEST_TMPDIR/alone.$port"
		says_no ctl attach --port $port
		[[ $printed == *"has no SO_REUSEPORT"* ]] || fail "$printed"
		port=$((port + 1))
	done
	says_no ctl attach --proto udp --port 5300
	clean "$PRINTED.utf8"
}

# The namespace has a name of strange bytes alone, in a mount namespace of its own.
renamed() {
	unshare --mount sh -c 'mount -t tmpfs none /run/netns && : >"/run/netns/$1" &&
		mount --bind "$2" "/run/netns/$1" && shift 2 && exec "$@"' \
		sh "$netns" "/proc/$worker_pid/ns/net" "$REUSEPORTCTL" "$@"
}

@test "raw bytes: names of network namespaces" {
	local netns half=$((${#NAMES[@]} / 2))
	start_worker --port 8080
	attach --port 8080
	for netns in "$(printf %s "${NAMES[@]:0:half}")" "$(printf %s "${NAMES[@]:half}")"; do
		prints renamed status --netns "$netns"
		prints renamed list
		prints renamed policy --port 8080 --netns "$netns"
		prints renamed drain --port 8080 --netns "$netns" x
		prints_json renamed status --netns "$netns"
		jq -e '.groups | length == 1' <<<"$printed" >/dev/null || fail "$printed"
		prints_json renamed list
		says_no "$REUSEPORTCTL" status --netns "$netns"
	done
	clean "$PRINTED.utf8"
}

# As options of a command, and without another command: what stands before WORD.
@test "raw bytes: words on the command line" {
	local before packet="--src 127.0.0.1:1 --dst 127.0.0.1:2"
	start_worker --port 8080
	attach --port 8080
	prints "$REUSEPORTCTL" "$WORD"
	for before in "attach --port" "attach --port 8080" "attach --port 8080 --proto" \
		"attach --port 8080 --addr" "attach --port 8080 --policy" "attach --port 8080 --key" \
		"attach --port 8080 --hash-key" "attach --port 8080 --cpu-map" \
		"attach --port 8080 --table" "attach --port 8080 --slots" "attach --port 8080 --admit" \
		"attach --port 8080 --policy weighted --over" "attach --port 8080 --flows" \
		"attach --port 8080 --netns" "explain --dst 127.0.0.1:1 --src" \
		"explain --src 127.0.0.1:1 --dst" "explain $packet --dev" "explain $packet --cpu" \
		"status --port 8080 --addr" "drain --port 8080 slot:0 --timeout" \
		"weight --port 8080 slot:0" "rollout --port 8080" "simulate --workers" \
		"simulate --policy" "simulate --weight" "simulate --leave" "simulate --seed"; do
		says_no "$REUSEPORTCTL" $before "$WORD"
	done
	says_no "$REUSEPORTCTL" status "--$WORD"
	says_no "$REUSEPORTCTL" attach --port 8080 --log "/nonexistent/$WORD"
	says_no "$REUSEPORTCTL" simulate --file "/nonexistent/$WORD"
	says_no "$REUSEPORTCTL" simulate --pcap "/nonexistent/$WORD"
	REUSEPORT_DISABLE=$WORD says_no "$REUSEPORTCTL" list
	for before in drain undrain policy; do
		says_no ctl $before --port 8080 "$WORD"
	done
	says_no ctl weight --port 8080 "$WORD" 1
	clean "$PRINTED.utf8"
}

@test "raw bytes: names and contents of files" {
	local file=$BATS_TEST_TMPDIR/${WORD//\//_}
	echo "192.0.2.1:1 192.0.2.2:53" >"$file"
	prints "$REUSEPORTCTL" simulate --file "$file"
	equal "$(head -n 1 <<<"$printed" | cut -d' ' -f1-3)" "1 packets from"
	prints_json "$REUSEPORTCTL" simulate --file "$file"
	says_no "$REUSEPORTCTL" simulate --pcap "$file"
	printf '%s\n' "$WORD" >"$file"
	says_no "$REUSEPORTCTL" simulate --file "$file"
	clean "$PRINTED.utf8"
}

# written LOCALE PATH: as it is printed.
written() {
	LC_ALL=$1 "$REUSEPORTCTL" simulate --file "$2" 2>&1 3>&- |
		sed 's/^reuseportctl: cannot open //; s/: No such file or directory$//'
}

@test "raw bytes: what can be shown is, and every name has a text of its own" {
	equal "$(written C.UTF-8 $'/no/w\u00f6rker \u65e5\u672c \U0001f600')" \
		$'/no/w\u00f6rker \u65e5\u672c \U0001f600'
	equal "$(written C $'/no/w\u00f6rker')" '/no/w\xc3\xb6rker'
	equal "$(written C.UTF-8 $'/no/\u202e\xff\u0301')" '/no/\xe2\x80\xae\xff\xcc\x81'
	equal "$(written C $'/no/\e')" '/no/\x1b'
	equal "$(written C '/no/\x1b')" '/no/\\x1b'
	equal "$(written C $'/no/\\\e')" '/no/\\\x1b'
	equal "$(written C $'/no/\n\t\x7f')" '/no/\x0a\x09\x7f'
	# As long as a path can be.
	equal "$(written C "/no/$(printf 'x%.0s' {1..3000})" | wc -c)" 3005
}
