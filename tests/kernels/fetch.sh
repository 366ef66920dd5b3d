#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Where a kernel is, fetched first if it is a package's: prints two lines, the path
# of its image and the path of its modules.
#   fetch.sh KERNEL FOLDER
# KERNEL is
#   6.12                    the newest linux-image-6.12*-cloud-* that apt knows
#   linux-image-...         a package that apt knows; of a meta package, what it needs
#   PATH.deb                a package that is here, with the parts beside it that it needs
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

# parts DEPENDS: the packages that image and modules are in, if not in that of the
# image itself: so since 7.2.
parts() {
	grep -oE 'linux-(binary|modules)-[0-9][^ ,]*' <<<"$1" || true
}

# unpack TARGET DEB...: all of it, or nothing.
unpack() {
	local target=$1 deb
	shift
	rm -rf "$target.new" && mkdir -p "$target.new" || return
	for deb; do
		dpkg-deb -x "$deb" "$target.new" || return
	done
	rm -rf "$target" && mv "$target.new" "$target"
}

# show TARGET: of what has been unpacked.
show() {
	local image modules
	image=$(find "$1" -path '*/boot/vmlinuz-*' -o -path '*/modules/*/vmlinuz' | head -n 1)
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
	local work depends
	work=$(mktemp -d)
	depends=$(apt-cache show "$1=$2" | sed -n 's/^Depends: //p')
	# shellcheck disable=SC2046 # words
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$1=$2" $(parts "$depends")) >&2 &&
		unpack "$3" "$work"/*.deb
	local status=$?
	rm -rf "$work"
	return $status
}

package_here() {
	local target part debs=("$kernel") found
	[ -f "$kernel" ] || die "no file $kernel"
	for part in $(parts "$(dpkg-deb -f "$kernel" Depends)"); do
		found=$(find "$(dirname "$kernel")" -maxdepth 1 -name "${part}_*.deb" -print -quit)
		[ -n "$found" ] || die "$kernel needs $part, which is not beside it"
		debs+=("$found")
	done
	target=$folder/$(basename "$kernel" .deb)
	[ "$target" -nt "$kernel" ] || unpack "$target" "${debs[@]}"
	touch "$target"
	show "$target"
}

mkdir -p "$folder"
case $kernel in
*:*)
	[ -f "${kernel%%:*}" ] || die "no file ${kernel%%:*}"
	[ -d "${kernel#*:}" ] || die "no folder ${kernel#*:}"
	realpath "${kernel%%:*}" "${kernel#*:}"
	;;
*.deb) package_here ;;
[0-9]* | linux-image-*) package_of_apt ;;
*) die "'$kernel' is no kernel: a series as 6.12, a package, a .deb, or IMAGE:MODULES" ;;
esac
