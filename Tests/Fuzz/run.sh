#!/usr/bin/env bash
# Fuzzes every decoder of bytes from outside with libFuzzer, each for a bounded time.
#
#   Tests/Fuzz/run.sh [SECONDS]                seconds for each target, 10 unless told
#                                              FUZZ_SEED: where chance begins, 1 unless told, so
#                                              that two runs look in much the same places; 0 for
#                                              anywhere
#   Tests/Fuzz/run.sh --replay TARGET FILE     one input again, without optimization: the trap
#                                              then names its line and reason
#
# Prints one line a target. A crash, a hang (10 s) or more than 1 GiB fails the run; the input is
# kept in .build/fuzz. Corpora are made from Tests/Fixtures and from messages in seeds.py.
#
# Targets: Layer2 (ARP, NDP and the announcer), BGP (messages and their stream), Multicast
# (listener queries), BFD (packets and a session), Netlink (routing messages, nf_tables answers and
# notifications, file notices), Dataplane (the kernel's dumps of our table and of connections),
# Membership (what members say, and the replicated store), Sealed (sealed datagrams behind a seal
# that always holds, key files), Addresses (text, against inet_pton), Manifests (YAML, assembling,
# conversion), API (an API server's answers: objects, pages, watches), State (the shared folder's
# files).
# HTTP is Hummingbird's to fuzz.
# Packages that Martlet uses are compiled from .build/checkouts; of them only Yams is instrumented.
set -uo pipefail
cd "$(dirname "$0")/../.."

targets=(Layer2 BGP Multicast BFD Netlink Dataplane Membership Sealed Addresses Manifests API State)
optimization=-O
replay=
if [[ ${1:-} == --replay ]]; then
    [[ $# == 3 && -f $3 && " ${targets[*]} " == *" $2 "* ]] || { sed -n 2,9p "$0"; exit 2; }
    targets=("$2")
    replay=$(realpath "$3")
    optimization="-Onone -gline-tables-only"
fi
seconds=${1:-10}
[[ -n $replay || $seconds =~ ^[1-9][0-9]*$ ]] || { sed -n 2,9p "$0"; exit 2; }

# Swift's own crash handler would end the process before libFuzzer keeps the input.
export SWIFT_BACKTRACE=enable=no

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
packages=.build/checkouts
yaml=$packages/Yams/Sources
built=" "

flags() {                                       # flags MODULE: what its language mode needs
    echo "$optimization -wmo -parse-as-library -I $build"
    echo "-Xcc -I$build/CLinux -Xcc -I$yaml/CYaml/include"
    case $1 in
    Yams) echo "-swift-version 5 -suppress-warnings -sanitize=fuzzer -D SWIFT_PACKAGE" ;;
    Logging)
        echo "-swift-version 6 -suppress-warnings -package-name swift-log"
        printf -- '-enable-upcoming-feature %s ' ExistentialAny MemberImportVisibility \
            InternalImportsByDefault NonisolatedNonsendingByDefault ;;
    *)
        echo "-swift-version 6 -strict-memory-safety -sanitize=fuzzer -enable-testing"
        echo "-package-name martlet -enable-experimental-feature Lifetimes" ;;
    esac
}

sources() {                                     # sources MODULE: its folder
    case $1 in
    Yams) echo "$yaml/Yams" ;;
    Logging) echo "$packages/swift-log/Sources/Logging" ;;
    Crypto) echo Tests/Fuzz/Sources/StandInCrypto ;;
    *) echo "Sources/$1" ;;
    esac
}

module() {                                      # module NAME…: compiles those not yet compiled
    local name files
    for name in "$@"; do
        [[ $built == *" $name "* ]] && continue
        # What speaks HTTP needs libraries that are not compiled here.
        mapfile -t files < <(find "$(sources "$name")" -name '*.swift' \
            ! -path 'Sources/ClusterSource/API/*' | sort)
        # shellcheck disable=SC2046
        swiftc $(flags "$name") -emit-module -emit-object -static -module-name "$name" \
            "${files[@]}" -o "$build/$name.o" -emit-module-path "$build/$name.swiftmodule" \
            || return 1
        built+="$name "
    done
}

c_objects() {                                   # c_objects NAME FOLDER FLAG…
    local name=$1 file
    [[ $built == *" $name "* ]] && return 0
    for file in "$2"/*.c; do
        clang -O1 -g "${@:3}" -c "$file" -o "$build/$name-$(basename "$file" .c).o" || return 1
    done
    built+="$name "
}

linux() {
    mkdir -p "$build/CLinux"
    echo "module CLinux { umbrella header \"$PWD/Sources/CLinux/include/CLinux.h\" export * }" \
        >"$build/CLinux/module.modulemap"
    c_objects CLinux Sources/CLinux -ISources/CLinux/include -fsanitize=fuzzer-no-link \
        && module LinuxNetwork
}

kubernetes() {
    [[ -d $yaml && -d $packages/swift-log ]] || swift package resolve || return 1
    c_objects CYaml "$yaml/CYaml/src" -I"$yaml/CYaml/include" -DYAML_DECLARE_STATIC \
        -fsanitize=fuzzer-no-link && module Yams Kubernetes
}

target() {                                      # target NAME: compiles and links its fuzzer
    local objects=(NetworkTypes) more=()
    module NetworkTypes || return 1
    case $1 in
    Layer2 | Multicast) module Layer2 || return 1; objects+=(Layer2) ;;
    BGP) module BGP || return 1; objects+=(BGP) ;;
    Dataplane) module Dataplane || return 1; objects+=(Dataplane) ;;
    Membership) module Membership || return 1; objects+=(Membership) ;;
    BFD) module BFD || return 1; objects+=(BFD) ;;
    Netlink) linux || return 1; objects+=(LinuxNetwork 'CLinux-*'); more=(-lpcap) ;;
    Sealed)
        { linux && module Crypto SealedDatagrams; } || return 1
        objects+=(LinuxNetwork 'CLinux-*' Crypto SealedDatagrams); more=(-lpcap) ;;
    Manifests | API) kubernetes || return 1; objects+=(Kubernetes Yams 'CYaml-*') ;;
    State)
        { linux && kubernetes && module Logging ClusterSource; } || return 1
        objects+=(Kubernetes Yams 'CYaml-*' LinuxNetwork 'CLinux-*' Logging ClusterSource)
        more=(-lpcap) ;;
    esac
    # shellcheck disable=SC2046,SC2086
    swiftc $(flags "Fuzz$1") -module-name "Fuzz$1" Tests/Fuzz/Sources/"Fuzz$1"/*.swift \
        $(printf "$build/%s.o\n" "${objects[@]}") "${more[@]}" -o "$build/fuzz-$1"
}

run() {                                         # run NAME: one line, and 1 for anything found
    local name=$1 kept=.build/fuzz log=$build/$1.log length=1024 runs found file
    [[ $name == Manifests || $name == API || $name == Dataplane ]] && length=4096
    [[ $name == Addresses ]] && length=128
    mkdir -p "$kept" "$build/found/$name"
    "$build/fuzz-$name" -max_total_time="$seconds" -max_len=$length -timeout=10 -rss_limit_mb=1024 \
        -seed="${FUZZ_SEED:-1}" -print_final_stats=1 -artifact_prefix="$build/found/$name/" \
        "$build/corpus/$name" \
        >"$log" 2>&1
    local status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    found=$(find "$build/found/$name" -type f ! -name 'slow-unit-*' | wc -l)
    printf '%-10s %10s runs %8s runs/s  %s crashes\n' "$name" "${runs:-?}" \
        "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log" | tail -n 1)" "$found"
    ((status == 0 && found == 0)) && return 0
    grep -E 'Fatal error|Precondition|ERROR: libFuzzer|SUMMARY' "$log" | head -n 5
    ((found == 0)) && tail -n 5 "$log"
    while IFS= read -r file; do
        cp "$file" "$kept/$name-${file##*/}"
        echo "  replay with: Tests/Fuzz/run.sh --replay $name $kept/$name-${file##*/}"
    done < <(find "$build/found/$name" -type f ! -name 'slow-unit-*')
    return 1
}

for name in "${targets[@]}"; do
    target "$name" || { echo "$name does not build" >&2; exit 1; }
done
if [[ -n $replay ]]; then
    "$build/fuzz-${targets[0]}" -timeout=10 -rss_limit_mb=1024 "$replay"
    exit
fi
python3 Tests/Fuzz/seeds.py "$build/corpus" || exit 1
failed=0
for name in "${targets[@]}"; do run "$name" || failed=1; done
exit $failed
