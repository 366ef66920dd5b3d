# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The checks of the source tree. Each takes the tree's root, prints a line for each
# fault and fails if there is one.

# includes ROOT: "FILE NAME" for each include directive of the C below include, bpf and src.
includes() {
	(cd "$1" && grep -rEo --include='*.[ch]' \
		'^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' include bpf src) |
		sed -E 's/:[^"<]*["<]/ /'
}

# sources ROOT: "file PATH" for each of these files.
sources() {
	(cd "$1" && find include bpf src -name '*.[ch]' | sed 's/^/file /')
}

# allowed ROOT: "ROOM [ITEM...]" for each row of the table in docs/architecture.md.
allowed() {
	awk -F'|' '
		/^## / { inside = $0 == "## What may include what" }
		inside && /^\|/ && $2 !~ /^-+$|^ room $/ {
			gsub(/[`,]/, " ", $3)
			print $2, $3
		}' "$1/docs/architecture.md"
}

# Includes that docs/architecture.md does not allow.
check_directions() {
	local faults
	faults=$({
		allowed "$1" | sed 's/^/room /'
		sources "$1"
		includes "$1" | sed 's/^/include /'
	} | awk -f "$(dirname "${BASH_SOURCE[0]}")/directions.awk")
	echo "$faults"
	[ -z "$faults" ]
}

# circles: of the graph on standard input, whose edges are "FROM TO".
circles() {
	local loops
	loops=$(awk '$1 != $2' | sort -u | tsort 2>&1 >/dev/null |
		sed 's/^tsort: -: .*/a circle:/; s/^tsort: /  /')
	echo "$loops"
	[ -z "$loops" ]
}

# Circles of includes, where foo.c and foo.h are one file.
check_include_circles() {
	{
		sources "$1"
		includes "$1" | sed 's/^/include /'
	} | awk '
		$1 == "file" { exists[$2]; next }
		{
			if (!match($2, /^(src\/lib|src\/cli|bpf|include)\//))
				next
			to = substr($2, 1, RLENGTH) $3
			if (!(to in exists))
				next
			sub(/(\.bpf)?\.[ch]$/, "", $2)
			sub(/(\.bpf)?\.[ch]$/, "", to)
			print $2, to
		}' | circles
}

# check_call_circles ROOT BUILD: circles of calls, and of uses of data, between the
# objects of the library or of the command.
check_call_circles() {
	local objects
	mapfile -t objects < <(cd "$1/src" && find lib cli -name '*.c' | sed 's/c$/o/')
	(cd "$2" && nm -Ag "${objects[@]}") >"$BATS_TEST_TMPDIR/symbols" || return
	awk '
		{ sub(/\.o:.*/, "", $1); part = $1; sub(/\/.*/, "", part) }
		$(NF - 1) == "U" { user[++uses] = $1; used[uses] = part " " $NF; next }
		{ home[part " " $NF] = $1 }
		END {
			for (i = 1; i <= uses; i++)
				if (used[i] in home)
					print user[i], home[used[i]]
		}' "$BATS_TEST_TMPDIR/symbols" | circles
}

# tags ROOT KINDS FOLDER...: "NAME FILE:LINE"; for the kinds see ctags --list-kinds=C.
tags() {
	(cd "$1" && ctags -x --_xformat='%N %F:%n' --languages=C --langmap=C:.c.h --kinds-C="$2" \
		'-DBPF_PROG(name,args...)=name(args)' -R "${@:3}")
}

# Functions, static ones too, that are defined under the same name.
check_function_names() {
	local faults
	faults=$(tags "$1" f src bpf | sort | awk '
		$1 != "main" { at[$1] = at[$1] " " $2; n[$1]++ }
		END {
			for (name in n)
				if (n[name] > 1)
					print name "():" at[name]
		}' | sort)
	echo "$faults"
	[ -z "$faults" ]
}

# Public types that have the name of a function: in C++ the one hides the other.
check_type_names() {
	local faults
	faults=$(awk '
		NR == FNR { type[$1] = $2; next }
		$1 in type { print $1 ": a type in " type[$1] ", a function in " $2 }
		' <(tags "$1" gust include) <(tags "$1" fp include; tags "$1" f src bpf) | sort -u)
	echo "$faults"
	[ -z "$faults" ]
}

# longer LINES: those of the files, named on standard input, that have more lines.
longer() {
	xargs wc -l | awk -v most="$1" '
		$2 != "total" && $1 > most { print $2 ": " $1 " lines, more than " most }'
}

# Files longer than is read in one sitting.
check_sizes() {
	local faults
	faults=$(cd "$1" && {
		find include bpf src -name '*.[ch]' | longer 500
		find tests -regex '.*\.\(c\|h\|bats\|bash\|sh\|py\)' | longer 650
	})
	echo "$faults"
	[ -z "$faults" ]
}

# Paths in docs/architecture.md at which there is no file. What a build makes does not count.
check_paths() {
	local faults
	faults=$(grep -oE '`[^`]+`|\]\([^)#:]+\)' "$1/docs/architecture.md" | sed 's/^`//; s/`$//
			s/^#include "\(.*\)"$/\1/; s/^](\(.*\))$/docs\/\1/' |
		grep -E '^[^ ]+(/[^ ]*|\.[a-z]+)$' | grep -v '\.skel\.h$' | sort -u |
		while read -r path; do
			[ -e "$1/$path" ] || [ -e "$1/src/lib/$path" ] || [ -e "$1/bpf/$path" ] ||
				[ -e "$1/include/$path" ] || echo "docs/architecture.md: no $path"
		done)
	echo "$faults"
	[ -z "$faults" ]
}
