#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Where a kernel is, fetched first if it is a package's: prints two lines, the path
# of its image and the path of its modules.
#   fetch.sh KERNEL FOLDER
# KERNEL is
#   6.12                    the newest linux-image-6.12*-cloud-* that apt knows
#   linux-image-...         a package that apt knows; of a meta package, what it needs
#   PATH.deb                a package that is here
#   IMAGE:MODULES           vmlinuz and a folder as /lib/modules/RELEASE
# Packages are unpacked into FOLDER, never installed, and used again as long as they
# are the newest.
set -eu
kernel=$1 folder=$2

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}

# newest SERIES: the package's name; a meta package has no number after the series.
newest() {
	local series=${1//./\\.} flavour
	flavour=cloud-$(dpkg --print-architecture)
	apt-cache search --names-only "^linux-image-$series([.-][0-9][^-]*)(-[0-9]+)?-$flavour\$" |
		cut -d' ' -f1 | sort -V | tail -n 1
}

# candidate PACKAGE: the version that apt would take.
candidate() {
	apt-cache policy "$1" | sed -n 's/^ *Candidate: //p' | grep -v '(none)'
}

# needed PACKAGE: itself, or the package with the image that a meta package needs.
needed() {
	local other
	other=$(apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends: .*\(linux-image-[0-9][^ ,]*\).*/\1/p' | head -n 1)
	echo "${other:-$1}"
}

# unpack DEB TARGET: all of it, or nothing.
unpack() {
	rm -rf "$2.new" && mkdir -p "$2.new" && dpkg-deb -x "$1" "$2.new" || return
	rm -rf "$2" && mv "$2.new" "$2"
}

# show TARGET: of what has been unpacked.
show() {
	local image modules
	image=$(find "$1/boot" -name 'vmlinuz-*' | head -n 1)
	modules=$(find "$1"/lib/modules "$1"/usr/lib/modules -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1)
	[ -n "$image" ] && [ -n "$modules" ] || die "$kernel has no image and modules"
	realpath "$image" "$modules"
}

# named: the package that is meant; nothing if apt knows none.
named() {
	case $kernel in
	linux-image-*) needed "$kernel" ;;
	*) newest "$kernel" ;;
	esac
}

package_of_apt() {
	local package version target try
	command -v apt-get >/dev/null || die "packages are fetched with apt-get, which is not here"
	# What apt knows may be nothing yet, or be too old for the server.
	for try in 1 2; do
		package=$(named 2>/dev/null)
		version=$([ -z "$package" ] || candidate "$package" || true)
		if [ -n "$version" ]; then
			target=$folder/${package}_$version
			[ -e "$target" ] || fetched "$package" "$version" "$target" || version=
		fi
		[ -z "$version" ] || break
		[ "$try" -eq 2 ] || apt-get -qq update >&2 || true
	done
	[ -n "$version" ] || die "apt has no package for '$kernel'; see apt-cache search linux-image"
	show "$target"
}

# fetched PACKAGE VERSION TARGET
fetched() {
	local work
	work=$(mktemp -d)
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$1=$2") >&2 &&
		unpack "$work"/*.deb "$3"
	local status=$?
	rm -rf "$work"
	return $status
}

mkdir -p "$folder"
case $kernel in
*:*)
	[ -f "${kernel%%:*}" ] || die "no file ${kernel%%:*}"
	[ -d "${kernel#*:}" ] || die "no folder ${kernel#*:}"
	realpath "${kernel%%:*}" "${kernel#*:}"
	;;
*.deb)
	[ -f "$kernel" ] || die "no file $kernel"
	target=$folder/$(basename "$kernel" .deb)
	[ "$target" -nt "$kernel" ] || unpack "$kernel" "$target"
	touch "$target"
	show "$target"
	;;
[0-9]* | linux-image-*) package_of_apt ;;
*) die "'$kernel' is no kernel: a series as 6.12, a package, a .deb, or IMAGE:MODULES" ;;
esac
