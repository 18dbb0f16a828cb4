#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what building (`deps build`) and testing (`deps test`) need, with
# apt-get; asks dpkg first, so that a call with nothing to do touches no network.
# Source it for the function deps, or call it: packaging/deps.sh build test
# KTRACE_SKIP_DEPS=1 trusts the machine to have everything already.
# shellcheck disable=SC2048,SC2086 # package lists are meant to be split

# "a|b": either will do, and a is the one installed.
deps_build='gcc libc6-dev cmake ninja-build clang-14|clang libbpf-dev libelf-dev zlib1g-dev
	liblzma-dev libiberty-dev bpftool'
deps_test='libcmocka-dev python3 python3-pytest clang-format-14 clang-tidy-14 cppcheck
	libclang-rt-14-dev
	qemu-system-x86 qemu-system-arm lld-14|lld busybox-static cpio bpftrace
	g++ musl-tools libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0'

deps_say() {
	echo "deps: $*" >&2
}

# deps_wanted build|test...: the packages of these groups
deps_wanted() {
	for group in "$@"; do
		case $group in
		build) echo "$deps_build" ;;
		test) echo "$deps_test" ;;
		*) deps_say "no such group: $group (build, test)"; return 2 ;;
		esac
	done
}

# deps_missing PACKAGE...: those of which no alternative is installed
deps_missing() {
	# One call for all: dpkg-query takes longer to start than to look.
	have=$(IFS=' |'; set -f; dpkg-query -W -f '<${Package}:${db:Status-Status}>' $* 2>/dev/null) || :
	for wanted in "$@"; do
		first=${wanted%%|*} second=${wanted#*|}
		case $have in
		*"<$first:installed>"* | *"<$second:installed>"*) ;;
		*) echo "$first" ;;
		esac
	done
}

# deps_apt PACKAGE...: quiet unless it fails
deps_apt() {
	log=$(mktemp)
	# Some other source of this machine may be gone: whether all is there, install will tell.
	apt-get -qq update >"$log" 2>&1 </dev/null || :
	# A machine just booted may still be at its own updates: wait for the lock.
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
		--no-install-recommends install "$@" >>"$log" 2>&1 </dev/null && status=0 || status=1
	if [ $status -ne 0 ]; then
		tail -n 20 "$log" >&2
		deps_say "apt-get could not install: $*"
	fi
	rm -f "$log"
	return $status
}

# deps build|test...
deps() {
	[ -z "${KTRACE_SKIP_DEPS-}" ] || return 0
	wanted=$(deps_wanted "$@") || return
	missing=$(deps_missing $wanted | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		deps_say "no apt-get here: install these (Debian's names), then call again with KTRACE_SKIP_DEPS=1: $missing"
		return 3
	fi
	if [ "$(id -u)" -ne 0 ]; then
		deps_say "not root: ask root for: apt-get install $missing"
		return 3
	fi
	deps_say "installing $missing"
	deps_apt $missing
}

case ${0##*/} in
deps.sh) deps "$@" ;;
esac
