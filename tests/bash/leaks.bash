# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a test may leave behind, found by its namespace alone, so that two
# suites can run at the same time. Part of lib.bash.

PINS=/sys/fs/bpf/reuseport

# Pin directories of a namespace, by its inode in their names. Once a test has deleted its
# namespace, a later one of another run may have been given the inode.
pins_of() {
	"$HELPERS/leftovers" pins "$1" "$BATS_TEST_TMPDIR/namespaces"
}

# Processes of the tool that were started for a namespace, and the keeper of this test.
tools_of() {
	"$HELPERS/leftovers" processes "$1"
}

# What the hooks follow in the namespace, by its cookie: "PROTO PORT".
watchers_of() {
	"$HELPERS/leftovers" watchers "$1"
}

# The program and the maps of each attachment in the test's namespaces, and those of the
# hooks, as "prog ID" and "map ID": what must be gone in the end. The kernel does not
# give an id twice.
record_bpf() {
	local inodes
	mapfile -t inodes < <(cut -d' ' -f2 "$BATS_TEST_TMPDIR/namespaces")
	"$HELPERS/leftovers" objects "${inodes[@]}" >>"$BATS_TEST_TMPDIR/bpf"
}

# The recorded ones that are there still.
bpf_that_is_there() {
	"$HELPERS/leftovers" alive "$BATS_TEST_TMPDIR/bpf"
}

bpf_is_gone() {
	[ ! -s "$BATS_TEST_TMPDIR/bpf" ] || [ -z "$(bpf_that_is_there)" ]
}

# The kernel frees programs and maps a little later than their last user goes.
no_bpf_left() {
	wait_until 5 bpf_is_gone 2>/dev/null || {
		bpf_that_is_there | sed 's/^/left behind: /' >&2
		return 1
	}
}

# detach_all NAME INODE: by the names of the pins, PROTO-ADDR-PORT-INODE..., of all users.
detach_all() {
	local pin proto addr port rest

	[ -e "/run/netns/$1" ] || return 0
	for pin in "$PINS"/*-"$2" "$PINS"/*-"$2"-*; do
		IFS=- read -r proto addr port rest <<<"${pin##*/}"
		# One detach may have been of several.
		[ -e "$pin" ] || continue
		"$REUSEPORTCTL" detach --netns "$1" --port "$port" --proto "$proto" 3>&- ||
			echo "could not detach $proto port $port" >&2
	done
}

# Hooks are there while an attachment is.
hooks_are_needed() {
	local pin
	[ -e "$PINS/hooks" ] || return 0
	for pin in "$PINS"/*-*; do
		[ ! -d "$pin" ] || return 0
	done
	return 1
}

no_watchers_of() {
	[ -z "$(watchers_of "$1")" ]
}

no_tools_of() {
	[ -z "$(tools_of "$1")" ]
}

# nothing_left NAME INODE: else says what, removes it and fails.
nothing_left() {
	local left=0 pid pins

	if ! wait_until 3 no_tools_of "$1" 2>/dev/null; then
		for pid in $(tools_of "$1"); do
			echo "left behind: process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
			kill -KILL "$pid"
		done
		left=1
	fi
	pins=$(pins_of "$2")
	if [ -n "$pins" ]; then
		echo "left behind: $pins" >&2
		rm -rf $pins
		left=1
	fi
	if ! wait_until 5 no_watchers_of "$1" 2>/dev/null; then
		echo "left behind: hooks for $(watchers_of "$1")" >&2
		left=1
	fi
	if ! hooks_are_needed; then
		echo "left behind: $(echo "$PINS"/hooks/*)" >&2
		rm -rf "$PINS/hooks"
		left=1
	fi
	return $left
}

# ip says of those that are going just then that they are invalid.
netns_is_gone() {
	! ip -j netns list-id 2>/dev/null | grep -q "\"nsid\":$1[,}]"
}

# The namespace is gone when no process, socket or descriptor holds it.
remove_netns() {
	if [ -e "/run/netns/$1" ]; then
		ip netns del "$1"
	fi
	# The kernel takes them down one after the other: on a busy machine that takes seconds.
	wait_until 60 netns_is_gone "$2" || {
		echo "left behind: namespace $1 is still held" >&2
		return 1
	}
}

# In the sanitized run: reports go to files, of keepers in the background too. Prints
# those that say something: of a process that is killed while it looks for leaks at its
# end there is but a word of its threads.
sanitizer_reports() {
	[ -z "${RP_REPORTS:-}" ] ||
		grep -lvE 'Unable to get registers from thread|was not suspended\. False leaks' "$RP_REPORTS"/* 2>/dev/null || true
}

sanitizers_silent() {
	local report reports
	mapfile -t reports < <(sanitizer_reports)
	for report in "${reports[@]}"; do
		head -n 60 "$report" >&2
		mkdir -p "$RP_REPORTS.seen"
		mv "$report" "$RP_REPORTS.seen"
	done
	[ ${#reports[@]} -eq 0 ]
}
