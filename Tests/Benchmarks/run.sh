#!/usr/bin/env bash
# Measures Martlet beside its yardsticks, each pair in the same run, and prints medians.
#
#   Tests/Benchmarks/run.sh [--short]      --short: one round of each, for CI; else five
#
# Needs root. Everything happens in network namespaces that it makes and removes. Machines are
# shared and noisy: read ratios, not single figures. Nothing here fails for being slow.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"

if ((EUID != 0)); then
    echo "the benchmarks make network namespaces: run them as root" >&2
    exit 1
fi
source deploy/packages.sh
need_swift || exit 1
need /usr/include/pcap/pcap.h=libpcap-dev ip=iproute2 gcc=gcc python3=python3 \
    arping=arping tcpdump=tcpdump || exit 1

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

release=(-c release --static-swift-stdlib)
if ! swift build "${release[@]}" --product martlet >"$build/log" 2>&1; then
    tail -n 40 "$build/log"
    exit 1
fi
martlet=$(swift build "${release[@]}" --show-bin-path)/martlet

here=Tests/Benchmarks/Sources
gcc -O2 -Wall -Wextra -Werror -o "$build/arp-load" "$here"/ARPLoad/*.c &&
    gcc -O2 -Wall -Wextra -Werror -o "$build/c-responder" "$here"/CResponder/*.c -lpcap || exit 1

echo "== allocation"
swift run -c release --package-path Tests/Benchmarks AllocationBenchmark 2>"$build/log" || {
    tail -n 40 "$build/log"
    exit 1
}
python3 "$here/measure.py" --martlet "$martlet" --tools "$build" "$@"
