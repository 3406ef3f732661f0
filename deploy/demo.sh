#!/usr/bin/env bash
# Martlet on a LAN of network namespaces: three nodes, a client, web servers behind the nodes; then
# a router with a client behind it.
#
#   deploy/demo.sh [--keep] [--check]
#
#   --keep    leave everything up at the end and say how to look around
#   --check   exit 1 when any step did not hold
#
# Needs root. Installs the Debian packages that are missing, builds the release binary, and removes
# everything it made at the end, also after Ctrl-C.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

keep=0 check=0
for argument in "$@"; do
    case $argument in
        --keep) keep=1 ;;
        --check) check=1 ;;
        -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "unknown option $argument; see --help" >&2; exit 2 ;;
    esac
done

source deploy/packages.sh
if ((EUID != 0)); then
    echo "the demo makes network namespaces: run it as root" >&2
    echo "it needs the Swift toolchain 6.3 and the Debian packages libpcap-dev, iproute2," >&2
    echo "nftables, arping, ndisc6, nginx-light, bird2, python3 and curl, and installs those itself" >&2
    exit 1
fi
need_swift || exit 1
need /usr/include/pcap/pcap.h=libpcap-dev git=git ip=iproute2 nft=nftables arping=arping \
    ndisc6=ndisc6 nginx=nginx-light curl=curl bird=bird2 python3=python3 g++=g++ || exit 1

echo "building (a first build takes some minutes)"
log=$(mktemp)
if ! swift build -c release --static-swift-stdlib --product martlet >"$log" 2>&1; then
    tail -n 40 "$log"
    rm -f "$log"
    exit 1
fi
rm -f "$log"
martlet=$PWD/$(swift build -c release --static-swift-stdlib --show-bin-path | sed "s|^$PWD/||")/martlet

# ------------------------------------------------------------------------------- the ground

work=$(mktemp -d --suffix=-martlet-demo)
manifests=$work/manifests state=$work/state
mkdir -p "$manifests" "$state"
cp deploy/demo/manifests/*.yaml "$manifests"
pids=()
spaces=()
failures=0

ended=0
cleanup() {
    ((ended)) && return
    ended=1
    local pid space
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'cleanup; exit 130' INT TERM

now() { echo $((${EPOCHREALTIME/./} / 1000)); }                     # milliseconds
in_() { ip netns exec "mtdemo-$1" "${@:2}"; }
spawn() {                                                           # spawn HOST LOG command…
    # Replaces its subshell, so that the process id is the program's own.
    (exec ip netns exec "mtdemo-$1" "${@:3}" >"$2" 2>&1 </dev/null) &
    pids+=($!)
}
say() { printf '\n\e[1m%s\e[0m\n' "$*" | if [[ -t 1 ]]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }
hold() {                                                            # hold "sentence" command…
    local sentence=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "  ok    $sentence"
    else
        echo "  FAIL  $sentence"
        failures=$((failures + 1))
    fi
}
until_() {                                                          # until_ milliseconds command…
    local deadline=$(($(now) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        (($(now) < deadline)) || return 1
        sleep 0.01
    done
}

space() {
    ip netns del "mtdemo-$1" 2>/dev/null
    ip netns add "mtdemo-$1" && spaces+=("mtdemo-$1")
    in_ "$1" ip link set lo up
    in_ "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}
plug() {                                                            # plug NAME HOST-NUMBER
    space "$1"
    in_ switch ip link add "$1" type veth peer name eth0 netns "mtdemo-$1"
    in_ switch ip link set "$1" master br0 up
    in_ "$1" ip link set eth0 up
    in_ "$1" ip addr add "192.0.2.$2/24" dev eth0
    in_ "$1" ip addr add "2001:db8:2::$2/64" dev eth0 nodad
}
backend() {                                                         # backend LETTER BASE
    local letter=$1 base=$2 port
    space "pods-$letter"
    in_ "node-$letter" ip link add pods type veth peer name eth0 netns "mtdemo-pods-$letter"
    in_ "node-$letter" ip link set pods up
    in_ "node-$letter" ip addr add "198.51.100.$((base + 1))/26" dev pods
    in_ "node-$letter" ip addr add "2001:db8:$letter::1/64" dev pods nodad
    in_ "node-$letter" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    in_ "pods-$letter" ip link set eth0 up
    in_ "pods-$letter" ip addr add "198.51.100.$((base + 10))/26" dev eth0
    in_ "pods-$letter" ip addr add "2001:db8:$letter::10/64" dev eth0 nodad
    in_ "pods-$letter" ip route add default via "198.51.100.$((base + 1))"
    in_ "pods-$letter" ip route add default via "2001:db8:$letter::1"
    cat >"$work/nginx-$letter.conf" <<CONF
daemon off; master_process off; pid $work/nginx-$letter.pid; error_log $work/nginx-$letter.log;
events {}
http {
    access_log off;
    client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work;
    uwsgi_temp_path $work; scgi_temp_path $work;
    server {
        listen 8080; listen [::]:8080;
        location / { return 200 "backend $letter saw \$remote_addr\n"; }
    }
}
CONF
    spawn "pods-$letter" "$work/nginx-$letter.out" nginx -c "$work/nginx-$letter.conf"
}
routes() {                                                          # what an overlay would do
    local here there
    local -A base=([a]=0 [b]=64 [c]=128) host=([a]=11 [b]=12 [c]=13)
    for here in a b c; do
        for there in a b c; do
            [[ $here == "$there" ]] && continue
            in_ "node-$here" ip route add "198.51.100.${base[$there]}/26" via "192.0.2.${host[$there]}"
            in_ "node-$here" ip route add "2001:db8:$there::/64" via "2001:db8:2::${host[$there]}"
        done
    done
}

say "1. A LAN: three nodes, a client, a web server behind each node"
space switch
in_ switch ip link add br0 type bridge forward_delay 0 mcast_snooping 1 mcast_querier 1
in_ switch ip link set br0 up
plug client 100
number=11
for letter in a b c; do
    plug "node-$letter" $number
    backend $letter $(((number - 11) * 64))
    number=$((number + 1))
done
routes
echo "  client 192.0.2.100 ── bridge ── node-a .11, node-b .12, node-c .13 ── backends"

# ------------------------------------------------------------------------------- the story

get() { in_ client curl -sf --connect-timeout 0.3 --max-time 1 "$@"; }
# Asks a daemon that lives: the first whose socket answers.
ask() {
    local letter
    for letter in a b c; do
        kill -0 "${daemon[$letter]}" 2>/dev/null && break
    done
    "$martlet" "$1" --admin "$work/node-$letter.sock" "${@:2}"
}
addresses_of() { ask explain "default/$1" -o json | grep -o '"address" *: *"[0-9a-f.:]*"' | cut -d'"' -f4; }
owner_of() { ask explain "$1" -o json | grep -o '"owner" *: *"[^"]*"' | cut -d'"' -f4 | head -n 1; }

watch_gap() {                                                       # watch_gap SECONDS
    # Connections to 192.0.2.200:80 every 2 ms, in the background, for the gap that a client sees.
    watch_from client 192.0.2.200 "$1"
}
watch_from() {                                                      # watch_from HOST ADDRESS SECONDS
    (exec ip netns exec "mtdemo-$1" python3 deploy/demo/gap.py "$2" 80 "$3" >"$work/gap") &
    prober=$!
    sleep 0.5
}
read_gap() {                                                        # read_gap "words before"
    read -r gap lost slowest <"$work/gap"
    echo "  $1longest time without an answer: $gap ms, $lost of the connections (one every 2 ms)" \
        "without one"
}
tell_gap() {
    wait "$prober"
    read_gap "now at $(owner_of 192.0.2.200); "
}
moved() { [[ -n $(owner_of 192.0.2.200) && $(owner_of 192.0.2.200) != "$owner" ]]; }
start() {                                                           # start LETTER
    spawn "node-$1" "$work/node-$1.out" "$martlet" run --manifests "$manifests" \
        --state "$state" --node "node-$1" --interface eth0 --dataplane nftables \
        --admin "$work/node-$1.sock"
    daemon[$1]=${pids[-1]}
}
declare -A daemon

say "2. One martlet on each node, all reading deploy/demo/manifests"
begin=$(now)
for letter in a b c; do start $letter; done
until_ 5000 get http://192.0.2.200/
echo "  first answer from http://192.0.2.200/ $(($(now) - begin)) ms after the daemons were started"
until_ 5000 get "http://[2001:db8:2::200]/"
until_ 5000 get http://192.0.2.241:8080/
ask status | sed 's/^/  /'

say "3. A client on the LAN reaches the backends"
hold "IPv4: http://192.0.2.200/ answers" get http://192.0.2.200/
hold "IPv6: http://[2001:db8:2::200]/ answers" get "http://[2001:db8:2::200]/"
answers=$(for _ in {1..40}; do get http://192.0.2.200/; done | sort | uniq -c)
echo "$answers" | sed 's/^/    /'
hold "both backends get requests" test "$(wc -l <<<"$answers")" -ge 2
hold "policy Local keeps the client's address" grep -q 'saw 192.0.2.100' <(get http://192.0.2.241:8080/)
hold "exactly one node answers ARP for 192.0.2.200" test "$(in_ client arping -c 3 -w 1 -i eth0 192.0.2.200 |
    grep -oiE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | sort -u | wc -l)" -eq 1
hold "exactly one node answers NDP for 2001:db8:2::200" test "$(in_ client ndisc6 -m -w 300 2001:db8:2::200 eth0 |
    grep -oiE '([0-9a-f]{2}:){5}[0-9a-f]{2}' | sort -u | wc -l)" -eq 1
hold "an ExternalName Service has no address" test -z "$(addresses_of database)"

say "4. Why is it where it is?  martlet explain default/web"
ask explain default/web | sed 's/^/  /'

say "5. A manifest is edited: a new Service appears"
cat >"$manifests/06-new.yaml" <<'NEW'
apiVersion: v1
kind: Service
metadata: {name: new, namespace: default}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
NEW
begin=$(now)
hold "the new Service answers on 192.0.2.201" until_ 3000 get http://192.0.2.201/
echo "  first answer $(($(now) - begin)) ms after the file was written (conflict probes included)"
rm "$manifests/06-new.yaml"
in_ client ip neigh flush dev eth0
hold "the Service is deleted: nobody answers for 192.0.2.201 any more" \
    until_ 2000 bash -c "! ip netns exec mtdemo-client arping -c 1 -w 0.2 -i eth0 192.0.2.201"

say "6. The node that owns 192.0.2.200 is marked not ready"
owner=$(owner_of 192.0.2.200)
echo "  the owner is $owner"
sed "/name: $owner\$/,/^status:/s|^status:|&\n  conditions: [{type: Ready, status: \"False\"}]|" \
    deploy/demo/manifests/02-nodes.yaml >"$work/nodes.yaml"
watch_gap 2
sleep 0.5
mv "$work/nodes.yaml" "$manifests/02-nodes.yaml"
hold "another node takes the address" until_ 2000 moved
tell_gap
hold "the client still gets answers" get http://192.0.2.200/
new_owner=$(owner_of 192.0.2.200)
cp deploy/demo/manifests/02-nodes.yaml "$manifests/02-nodes.yaml"
sleep 0.5
hold "$owner is ready again, and takes nothing back" test "$(owner_of 192.0.2.200)" = "$new_owner"
ask explain 192.0.2.200 | sed 's/^/  /'

say "7. The owner's process is killed: kill -9"
owner=$(owner_of 192.0.2.200) letter=${owner#node-}
echo "  the owner is $owner"
watch_gap 3
kill -9 "${daemon[$letter]}"
wait "${daemon[$letter]}" 2>/dev/null
hold "another node takes the address" until_ 2000 moved
tell_gap
killed_gap=$gap
hold "a client waited less than 250 ms" test "$killed_gap" -lt 250
ask explain 192.0.2.200 | sed -n '1,/^  port/p' | sed '/^  port/d;s/^/  /'

say "8. It is started again"
new_owner=$(owner_of 192.0.2.200)
watch_gap 3
start "$letter"
hold "$owner lives again" until_ 3000 bash -c "'$martlet' status --admin '$work/node-$letter.sock' | grep -q 'node-.*alive'"
sleep 1
hold "$owner takes nothing back" test "$(owner_of 192.0.2.200)" = "$new_owner"
tell_gap
hold "no client noticed" test "$gap" -lt 100

say "9. The owner is drained: martlet drain $new_owner"
owner=$new_owner
watch_gap 3
ask drain "$owner" | sed 's/^/  /'
hold "another node has the address" until_ 2000 moved
tell_gap
hold "no client noticed" test "$gap" -lt 100
hold "martlet undrain $owner moves nothing back" bash -c "
    '$martlet' undrain '$owner' --admin '$work/${owner}.sock' && sleep 0.5"
hold "the address stays where it is" moved
ask status | sed -n '/^NODE/,/^$/p' | sed 's/^/  /'

say "10. Where would addresses go?  martlet simulate --fail"
"$martlet" simulate --manifests "$manifests" --state "$state" --fail "$(owner_of 192.0.2.200)" |
    sed 's/^/  /'

say "11. From the address to an endpoint: Martlet's nftables table on the owner"
owner=$(owner_of 192.0.2.200)
# One map or chain as nft shows it, without the lines around it.
table() { in_ "$owner" nft -s list "$@" 2>/dev/null; }
for line in "map inet martlet frontends4" "chain inet martlet external4/default/web/http/tcp" \
    "chain inet martlet cluster4/default/web/http/tcp" "map inet martlet endpoints4-0"; do
    # shellcheck disable=SC2086
    table $line | grep -vE '^table|^}|type (ipv4|mark)|^$' |
        sed 's/^\t/  /;s/\t/  /g;s/, 0x/,\n           0x/g'
done
echo
in_ "$owner" "$martlet" explain default/web --probe --admin "$work/$owner.sock" >"$work/probe"
probed=$?
sed -n '/192.0.2.200 port/,$p' "$work/probe" | sed '/2001:db8:2::200 port/,$d;s/^/  /'
hold "martlet explain default/web --probe: every flow arrives" test "$probed" -eq 0
hold "connections are counted, by endpoint" grep -qE 'default/web http/TCP +[1-9][0-9]* ' \
    <("$martlet" status --admin "$work/$owner.sock")
"$martlet" status --admin "$work/$owner.sock" | grep -E '^SERVICE PORT|^default/.*/TCP' | sed 's/^/  /'

say "12. Somebody flushes every table: nft flush ruleset"
watch_gap 2
repairs() {
    "$martlet" status --admin "$work/$owner.sock" -o json | grep -oE '"repairs" : [0-9]+' | grep -oE '[0-9]+$'
}
before=$(repairs)
begin=$(now)
in_ "$owner" nft flush ruleset
until_ 2000 in_ "$owner" nft list chain inet martlet cluster4/default/web/http/tcp
echo "  the table is back after $(($(now) - begin)) ms"
wait "$prober"
read_gap ""
hold "no client waited longer than half a second" test "$gap" -lt 500
hold "the daemon has counted it, and says who it was" test "$(repairs)" -gt "$before"
"$martlet" status --admin "$work/$owner.sock" | grep tableChanged | sed 's/^/  /'

# ------------------------------------------------------------------ second act: a router

router() { in_ router birdc -s "$work/bird.ctl" "$@"; }
away() { in_ away curl -sf --connect-timeout 0.3 --max-time 1 "$@"; }
hops() { in_ router ip route show 198.18.0.10 | grep -oE 'via 192[0-9.]+' | sort | tr '\n' ' '; }
goes_over() { [[ $(hops) == "$1" ]]; }                              # goes_over "via A via B "
watched() { [[ $(router show bfd sessions | grep -c ' Up ') == 2 ]]; }
both='via 192.0.2.11 via 192.0.2.12 '

say "13. A router with a client behind it: BIRD, as deploy/routers/bird.conf has it"
plug router 1
in_ router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1
space away
in_ router ip link add behind type veth peer name eth0 netns mtdemo-away
in_ router ip link set behind up
in_ router ip addr add 203.0.113.1/24 dev behind
in_ away ip link set eth0 up
in_ away ip addr add 203.0.113.10/24 dev eth0
in_ away ip route add default via 203.0.113.1
for letter in a b c; do in_ "node-$letter" ip route add 203.0.113.0/24 via 192.0.2.1; done
spawn router "$work/bird.out" bird -f -c deploy/routers/bird.conf -s "$work/bird.ctl" -P "$work/bird.pid"
until_ 5000 router show status
begin=$(now)
cp deploy/demo/routed/*.yaml "$manifests"
hold "the router sends 198.18.0.10 to node-a and node-b" until_ 15000 goes_over "$both"
echo "  so $(($(now) - begin)) ms after the manifests were written"
hold "the way to both is watched by BFD" until_ 5000 watched
hold "the client behind it gets answers" until_ 3000 away http://198.18.0.10/
answers=$(for _ in {1..40}; do away http://198.18.0.10/; done | sort | uniq -c)
echo "$answers" | sed 's/^/    /'
hold "both nodes get requests" test "$(wc -l <<<"$answers")" -ge 2
in_ router ip route show 198.18.0.10 | sed 's/^/  /'
router show route all for 198.18.0.10/32 | sed -n '2,$s/^/  /p'
ask status | sed -n '/^PEER/,/^$/p' | sed 's/^/  /'
ask explain 198.18.0.10 | grep -E '^  address|^  198|peer ' | sed 's/^/  /'

kill_daemon() {
    kill -9 "${daemon[$1]}"
    wait "${daemon[$1]}" 2>/dev/null
}
# The router's way out of a loss, and what the client saw of it.
lose() {                                                            # lose command…
    watch_from away 198.18.0.10 3
    begin=$(now)
    "$@"
    until_ 2000 goes_over 'via 192.0.2.11 '
    took=$(($(now) - begin))
    wait "$prober"
    hold "the router uses the other alone, within 1 s" test "$took" -lt 1000
    echo "  after $took ms"
    read_gap ""
    echo "  the slowest connection took $slowest ms$( ((slowest > 900)) && echo ': TCP repeats what was lost after 1 s')"
    hold "there was never a second without an answer" test "$gap" -lt 1000
}

say "14. One of the two is killed: kill -9"
lose kill_daemon b
start b
hold "started again, it is used again" until_ 15000 goes_over "$both"

say "15. One of the two loses its cable"
hold "BFD watches both" until_ 5000 watched
lose in_ switch ip link set node-b down
in_ switch ip link set node-b up
hold "with its cable back, it is used again" until_ 20000 goes_over "$both"

if ((keep)); then
    say "Everything stays up. Look around:"
    cat <<LOOK
  ip netns exec mtdemo-client curl http://192.0.2.200/
  ip netns exec mtdemo-client tcpdump -eni eth0 arp or icmp6
  $martlet status --admin $work/node-a.sock
  $martlet explain default/web --admin $work/node-a.sock
  birdc -s $work/bird.ctl show route all
  edit $manifests/*.yaml
  logs: $work/node-*.out
Press Enter to take it down.
LOOK
    read -r _
fi

say "Result"
if ((failures)); then
    echo "  $failures step(s) did not hold; the daemons' last words:"
    tail -n 5 "$work"/node-*.out | sed 's/^/    /'
    ((check)) && exit 1
else
    echo "  every step held"
fi
exit 0
