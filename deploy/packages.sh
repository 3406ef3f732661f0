#!/usr/bin/env bash
# Sourced by deploy/demo.sh and Tests/run.sh: installs what a fresh Debian machine lacks.
#
# need PROGRAM=PACKAGE ...   PROGRAM may be a path; a missing one is installed as root, or named.

need() {
    local pair program missing=()
    for pair in "$@"; do
        program=${pair%%=*}
        if [[ $program == /* ]]; then
            [[ -e $program ]] || missing+=("${pair#*=}")
        else
            PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("${pair#*=}")
        fi
    done
    ((${#missing[@]} == 0)) && return 0
    if ((EUID != 0)); then
        echo "missing Debian packages: ${missing[*]}" >&2
        echo "install them (apt-get install ${missing[*]}), or run this as root" >&2
        return 1
    fi
    echo "installing ${missing[*]}"
    apt-get update -qq || return 1
    # Routers and servers are wanted as programs; as services of this machine none is to start.
    local policy=/usr/sbin/policy-rc.d made=0 status=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null || status=$?
    ((made)) && rm -f "$policy"
    return "$status"
}

# need_python PACKAGE ...: PyPI packages for the python3 on the PATH.
need_python() {
    local options=(--quiet --disable-pip-version-check --root-user-action=ignore)
    echo "installing $* from PyPI"
    # Debian marks its own Python as not to be installed into; a test machine's may be.
    python3 -m pip install "${options[@]}" "$@" 2>/dev/null ||
        python3 -m pip install "${options[@]}" --break-system-packages "$@"
}

need_swift() {
    if ! command -v swift >/dev/null; then
        echo "missing: the Swift toolchain, 6.3 or later (https://www.swift.org/install/linux/)" >&2
        return 1
    fi
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')
    if [[ $(printf '%s\n' 6.3 "$version" | sort -V | head -n 1) != 6.3 ]]; then
        echo "Swift $version is too old: 6.3 or later is needed" >&2
        return 1
    fi
}
