# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# An older version of the tool, built from the repository's history, on top of lib.bash.

# The last commit of each ABI version from 4 on.
declare -gA LAST_OF_ABI=([4]=36f917d)

# older_version ABI: build the tool of that version, unless it was built before; sets $OLDER.
older_version() {
	local commit=${LAST_OF_ABI[$1]} dir=$RP_ROOT/build/abi$1
	OLDER=$dir/build/reuseportctl
	mkdir -p "$dir"
	(
		flock 9
		[ ! -x "$OLDER" ] || exit 0
		git -C "$RP_ROOT" -c safe.directory="$RP_ROOT" archive "$commit" | tar -x -C "$dir" &&
			make -s -C "$dir" all >"$dir/log" 2>&1
	) 9>"$dir/lock" 2>/dev/null || [ -x "$OLDER" ] ||
		skip "ABI version $1 cannot be built: $(older_why "$commit" "$dir")"
}

older_why() {
	git -C "$RP_ROOT" -c safe.directory="$RP_ROOT" cat-file -e "$1^{commit}" 2>/dev/null ||
		{ echo "the repository has no commit $1"; return; }
	tail -n 1 "$2/log"
}

# older COMMAND ARGS...: as ctl does.
older() {
	REUSEPORTCTL=$OLDER ctl "$@"
}
