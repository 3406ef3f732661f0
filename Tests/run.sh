#!/usr/bin/env bash
# Runs every test: lint, unit and state tests, wire vectors, real peers in network namespaces,
# fuzzing for a bounded time, the demo with --check, the container image, and a short pass of the
# benchmarks.
#
#   Tests/run.sh [--quick]     --quick: lint and the Swift tests only
#
# As root on Debian it installs what is missing. As an ordinary user it says what it needs, runs
# what it can, and skips the tests that need root, each with its reason.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

quick=0
[[ ${1:-} == --quick ]] && quick=1

source deploy/packages.sh
need_swift || exit 1
need /usr/include/pcap/pcap.h=libpcap-dev git=git g++=g++ || exit 1
if ((EUID == 0)); then
    need ip=iproute2 ping=iputils-ping nft=nftables tcpdump=tcpdump arping=arping ndisc6=ndisc6 \
        nginx=nginx-light curl=curl conntrack=conntrack python3=python3 jq=jq gcc=gcc bird=bird2 \
        /usr/lib/frr/bgpd=frr gobgpd=gobgpd /usr/sbin/bgpctl=openbgpd exabgp=exabgp \
        keepalived=keepalived openssl=openssl kubectl=kubernetes-client || exit 1
    python3 -c 'import celpy, yaml' 2>/dev/null ||
        { need pip3=python3-pip && need_python cel-python pyyaml; } || exit 1
elif [[ ${CI:-} == true ]]; then
    echo "CI must run as root: the tests against real peers need network namespaces" >&2
    exit 1
else
    echo "not root: the tests that need network namespaces will be skipped"
fi

failed=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
step() {                                        # step "what" command…
    local begin=$SECONDS
    echo "==> $1"
    "${@:2}" 2>&1 | tee "$logs/$1"
    if ((PIPESTATUS[0] == 0)); then
        echo "<== $1: held ($((SECONDS - begin)) s)"
    else
        echo "<== $1: FAILED ($((SECONDS - begin)) s)"
        failed+=("$1")
    fi
}
# At the end once more what failed: the output before it is long.
finish() {
    local name
    ((${#failed[@]} == 0)) && exit 0
    for name in "${failed[@]}"; do
        echo
        echo "==> failed: $name"
        grep -aE '✘|[Ee]rror:|FAILED|not held' "$logs/$name" | cut -c1-400 | tail -n 30 ||
            tail -n 20 "$logs/$name"
    done
    echo "${#failed[@]} step(s) failed: ${failed[*]}"
    exit 1
}

step "format" swift format lint --strict --recursive Package.swift Sources Tests
step "build" swift build --build-tests
((${#failed[@]})) && finish
# Apart from each other: simulations and damaged bytes keep every core busy for a minute, and tests
# of threads, of servers and of real daemons wait for what happens in real time, one by one.
busy='^(SimulationTests|MembershipTests|LoadBalancingTests|BGPTests|BFDTests|DataplaneTests)[.]'
live='^(SpeakerTests|ClusterAPITests)[.]'
real='^InteropTests[.]'
step "tests" swift test --skip-build --skip "$busy" --skip "$live" --skip "$real"
step "simulations and properties" swift test --skip-build --filter "$busy"
step "threads" swift test --skip-build --no-parallel --filter "$live"
step "real peers" swift test --skip-build --filter "$real"
if ((!quick)); then
    step "fuzzing" Tests/Fuzz/run.sh 6
    if ((EUID == 0)); then
        step "demo" deploy/demo.sh --check
        step "image" deploy/image/build.sh --check
        step "benchmarks" Tests/Benchmarks/run.sh --short
    else
        echo "demo, image and benchmarks skipped: they need root"
    fi
fi
finish
