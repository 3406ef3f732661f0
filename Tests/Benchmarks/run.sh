#!/usr/bin/env bash
# Measures Martlet beside its yardsticks, each pair in the same run, and prints medians.
#
#   Tests/Benchmarks/run.sh [--short | --nightly] [--failover | --bgp | --cluster | --dataplane]
#
#   --short      one round of each, for CI; else five, and twenty of each failover
#   --nightly    the failovers with ten minutes of each hardship
#   --failover   only the race of failovers; what follows is handed to Sources/failover.py
#   --bgp        only the race of BGP senders; what follows is handed to Sources/routes.py
#   --cluster    only the controller and speakers against an API server; what follows is handed to
#                Sources/cluster.py
#   --dataplane  only the data plane beside others; what follows is handed to Sources/dataplane.py
#
# Needs root. Everything happens in network namespaces that it makes and removes. Machines are
# shared and noisy: read ratios, not single figures. Nothing here fails for being slow.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"

mode=() only=
while (($#)); do
    case $1 in
        --short | --nightly) mode+=("$1") ;;
        --failover | --bgp | --cluster | --dataplane) only=${1#--}; shift; break ;;
        -h | --help) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "unknown option $1; see --help" >&2; exit 2 ;;
    esac
    shift
done

if ((EUID != 0)); then
    echo "the benchmarks make network namespaces: run them as root" >&2
    exit 1
fi
source deploy/packages.sh
need_swift || exit 1
need /usr/include/pcap/pcap.h=libpcap-dev ip=iproute2 gcc=gcc python3=python3 \
    arping=arping tcpdump=tcpdump nft=nftables keepalived=keepalived bird=bird2 || exit 1
if [[ ${mode[*]} != *--short* ]]; then
    need /usr/lib/frr/bgpd=frr gobgpd=gobgpd /usr/sbin/bgpctl=openbgpd exabgp=exabgp || exit 1
fi

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

release=(-c release --static-swift-stdlib)
if ! swift build "${release[@]}" --product martlet >"$build/log" 2>&1; then
    tail -n 40 "$build/log"
    exit 1
fi
martlet=$(swift build "${release[@]}" --show-bin-path)/martlet

here=Tests/Benchmarks/Sources
for tool in ARPLoad CResponder ConnectionLoad ProbeTrain Echo; do
    gcc -O2 -Wall -Wextra -Werror -o "$build/$tool" "$here/$tool"/*.c -lpcap || exit 1
done
measure() { python3 -B "$here/$1.py" --martlet "$martlet" --tools "$build" "${@:2}"; }

if [[ $only == failover ]]; then
    measure failover "${mode[@]}" "$@"
    exit
fi
# Builds a product of the benchmarks' own package, and says where it is.
tool() {
    local own=(--package-path Tests/Benchmarks)
    if ! swift build "${release[@]}" "${own[@]}" --product "$1" >"$build/log" 2>&1; then
        tail -n 40 "$build/log" >&2
        return 1
    fi
    echo "$(swift build "${release[@]}" "${own[@]}" --show-bin-path)/$1"
}
benchmark() {
    local program
    program=$(tool "$1") || exit 1
    "$program" "${@:2}" || exit 1
}
routes() {
    local sender
    sender=$(tool RouteSender) || exit 1
    measure routes --sender "$sender" "${mode[@]}" "$@"
}
scripted_apiserver() {
    if ! swift build "${release[@]}" --product scripted-apiserver >"$build/log" 2>&1; then
        tail -n 40 "$build/log"
        exit 1
    fi
}
server=$(dirname "$martlet")/scripted-apiserver
cluster() {
    scripted_apiserver
    measure cluster --server "$server" "${mode[@]}" "$@"
}
dataplane() {
    local alone
    alone=$(tool DataplaneBenchmark) || exit 1
    # Only a kube-proxy needs it.
    if [[ $* == *--kube-proxy* ]]; then scripted_apiserver; fi
    measure dataplane --benchmark "$alone" --server "$server" "${mode[@]}" "$@"
}
if [[ $only == bgp ]]; then
    routes "$@"
    exit
fi
if [[ $only == cluster ]]; then
    cluster "$@"
    exit
fi
if [[ $only == dataplane ]]; then
    dataplane "$@"
    exit
fi
echo "== allocation"
benchmark AllocationBenchmark
echo "== failover, simulated"
case ${mode[*]} in
    *--short*) simulated=(--nodes 3,10,100 --failures 4 --seeds 100 --seconds 20) ;;
    *--nightly*) simulated=(--nodes 3,10,100,1000 --failures 100 --seeds 10000 --seconds 3600) ;;
    *) simulated=(--nodes 3,10,100,1000 --failures 20 --seeds 3000 --seconds 1200) ;;
esac
benchmark FailoverSimulation "${simulated[@]}"
if [[ ${mode[*]} != *--nightly* ]]; then
    measure measure "${mode[@]}" || exit 1
    cluster || exit 1
    routes || exit 1
    dataplane || exit 1
fi
measure failover "${mode[@]}"
