# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Prints the includes that docs/architecture.md does not allow. Reads lines
#   room ROOM [ITEM...]   a row of its table: the room may include these
#   file PATH             a source file of the tree
#   include PATH NAME     and what it includes
# in this order. Names that no file of the tree has are the system's headers.

# The folder that a name begins with; "" if there is none.
function folder(name) {
	return name ~ /\// ? substr(name, 1, index(name, "/") - 1) : ""
}

# The room of a file in src/lib.
function room_of(path,   name) {
	name = substr(path, length("src/lib/") + 1)
	return folder(name) == "" ? "(root)" : folder(name)
}

function beside(path, name) {
	sub(/[^\/]*$/, "", path)
	return (path name) in exists
}

# Each returns what is wrong with it, or "".
function fault_in_lib(path, name,   room) {
	room = room_of(path)
	# There the compiler looks first.
	if (room != "(root)" && folder(name) == "" && beside(path, name))
		return "it does not name the room"
	if (("include/" name) in exists)
		return ""
	if (name == "abi.h" || name ~ /^decide\//)
		return ""
	if (name ~ /\.skel\.h$/) {
		if (!(name in loader))
			loader[name] = path
		return room_of(loader[name]) == room ? "" : "so does " loader[name] ", of another room"
	}
	if (("bpf/" name) in exists)
		return "it belongs to the programs in the kernel"
	if (!(("src/lib/" name) in exists))
		return ""
	if (folder(name) == "" || folder(name) == room)
		return ""
	if ((room, folder(name)) in may || (room, name) in may)
		return ""
	return room " may not include " folder(name)
}

function fault_in_cli(path, name) {
	if (("src/cli/" name) in exists || ("include/" name) in exists)
		return ""
	if (beside(path, name))
		return "it does not name the folder"
	if (("src/lib/" name) in exists || ("bpf/" name) in exists || name ~ /\.skel\.h$/)
		return "the command uses the public headers alone"
	return ""
}

function fault_in_include(path, name) {
	if (("bpf/" name) in exists || ("src/lib/" name) in exists || name ~ /\.skel\.h$/)
		return "a public header includes public ones alone"
	return ""
}

function fault_in_bpf(path, name) {
	if (path ~ /^bpf\/decide\/|^bpf\/abi\.h$/) {
		if (name == "vmlinux.h" || (("bpf/" name) in exists && name !~ /^decide\/|^abi\.h$/))
			return "it is compiled for the library as well"
	}
	if (("bpf/" name) in exists)
		return ""
	# Numbers only, for everybody.
	if (name == "reuseport_sockopt.h")
		return ""
	if (("include/" name) in exists || ("src/lib/" name) in exists)
		return "the programs in the kernel know nothing of the library"
	return ""
}

$1 == "room" {
	for (i = 3; i <= NF; i++) {
		above = folder($i) == "" ? $i : folder($i)
		if (!(above in known))
			print "docs/architecture.md: " $2 " may not include " $i ": no earlier row"
		may[$2, $i]
	}
	known[$2]
}

$1 == "file" {
	exists[$2]
	if ($2 ~ /^src\/lib\// && !(room_of($2) in known) && !(room_of($2) in filled))
		print "docs/architecture.md: no row for the room of " $2
	if ($2 ~ /^src\/lib\//)
		filled[room_of($2)]
}

$1 == "include" {
	if ($3 ~ /(^|\/)\.\.?\//)
		fault = "it is a relative path"
	else if ($2 ~ /^src\/lib\//)
		fault = fault_in_lib($2, $3)
	else if ($2 ~ /^src\/cli\//)
		fault = fault_in_cli($2, $3)
	else if ($2 ~ /^include\//)
		fault = fault_in_include($2, $3)
	else
		fault = fault_in_bpf($2, $3)
	if (fault)
		print $2 " includes " $3 ": " fault
}

END {
	for (room in known)
		if (!(room in filled))
			print "docs/architecture.md: no room for the row " room
}
