#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the library exports is what the symbol map says and the header declares.

setup_file() {
	local root
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export ROOT=$root
	export LIBRARIES=${BUILD:-$root/build}
	[[ $LIBRARIES == /* ]] || LIBRARIES=$root/$LIBRARIES
	[ -z "${RP_SANITIZED:-}" ] || LIBRARIES=$root/build/asan
	mapped >"$BATS_FILE_TMPDIR/mapped"
}

mapped() {
	sed -n 's/^[[:space:]]*\(reuseport_[a-z0-9_]*\);$/\1/p' "$ROOT/src/lib/libreuseport-bpf.map" | sort
}

@test "symbols: the shared library exports those of the map, and no other" {
	nm -D --defined-only "$LIBRARIES/libreuseport-bpf.so" | awk '$2 != "A" { print $3 }' |
		sed 's/@.*//' | sort >"$BATS_TEST_TMPDIR/exported"
	diff "$BATS_FILE_TMPDIR/mapped" "$BATS_TEST_TMPDIR/exported"
}

@test "symbols: each has a version" {
	local unversioned
	run nm -D --defined-only --with-symbol-versions "$LIBRARIES/libreuseport-bpf.so"
	[ "$status" -eq 0 ]
	unversioned=$(awk '$2 == "T"' <<<"$output" | grep -vc '@@REUSEPORT_BPF_[0-9.]*$' || true)
	[ "$unversioned" -eq 0 ] || { echo "$output"; return 1; }
}

@test "symbols: the headers declare those of the map, and no other" {
	local header
	for header in "$ROOT"/include/*.h; do
		gcc -E -P "$header" | grep -o 'reuseport_[a-z0-9_]*(' | tr -d '('
	done | sort -u >"$BATS_TEST_TMPDIR/declared"
	diff "$BATS_FILE_TMPDIR/mapped" "$BATS_TEST_TMPDIR/declared"
}

# Whoever links the archive shares one name space with the library's inside.
@test "symbols: the archive exports no other name" {
	nm -g --defined-only "$LIBRARIES/libreuseport-bpf.a" | awk 'NF == 3 { print $3 }' |
		sort >"$BATS_TEST_TMPDIR/exported"
	diff "$BATS_FILE_TMPDIR/mapped" "$BATS_TEST_TMPDIR/exported"
}

@test "symbols: the command uses the public ones alone" {
	local undefined
	undefined=$(nm -u "$LIBRARIES"/cli/{*,*/*}.o | awk '$1 == "U" { print $2 }' | grep '^reuseport_' | sort -u)
	[ -z "$(comm -23 <(echo "$undefined") "$BATS_FILE_TMPDIR/mapped")" ] ||
		{ echo "$undefined"; return 1; }
}

@test "symbols: the man page names each, and nothing that does not exist" {
	tr -d '\\' <"$ROOT/man/libreuseport-bpf.3.scd" | grep -o 'reuseport_[a-z0-9_]*[a-z0-9]' |
		sort -u >"$BATS_TEST_TMPDIR/named"
	# Of each list it names the name alone.
	sed 's/_list__\(count\|get\|free\)$/_list/' "$BATS_FILE_TMPDIR/mapped" | sort -u |
		comm -23 - "$BATS_TEST_TMPDIR/named" >"$BATS_TEST_TMPDIR/missing"
	diff /dev/null "$BATS_TEST_TMPDIR/missing"
	{
		grep -oh 'reuseport_[a-z0-9_]*' "$ROOT"/include/*.h
		(cd "$ROOT/include" && echo *.h | tr ' ' '\n' | sed 's/\.h$//')
	} | sort -u | comm -13 - "$BATS_TEST_TMPDIR/named" >"$BATS_TEST_TMPDIR/unknown"
	diff /dev/null "$BATS_TEST_TMPDIR/unknown"
}
