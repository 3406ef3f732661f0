# Sourced by build.sh: what is in the image is run, as its user and with the files that it has.

failures=0
hold() {                                        # hold "sentence" command…
    if "${@:2}" >"$work/log" 2>&1; then
        echo "  ✔ $1"
    else
        echo "  ✘ $1"
        tail -n 15 "$work/log" | sed 's/^/      /'
        failures=$((failures + 1))
    fi
}
says() { grep -q -- "$1" <<<"$("${@:2}" 2>&1)"; }                   # says TEXT command…
until_() {                                      # until_ SECONDS command…
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

container=$(storage from --pull-never "$name")
entry=$(storage inspect --type image \
    --format '{{.OCIv1.Config.Entrypoint}} as {{.OCIv1.Config.User}}' "$name")
mkdir -p "$work/manifests" "$work/state" "$work/socket"
cp deploy/demo/manifests/*.yaml "$work/manifests"
chown 65532:65532 "$work/state" "$work/socket"
mkdir "$work/manifests/older"                   # "config" has no ending that the folder is read by
cat >"$work/manifests/older/config" <<'END'
address-pools: [{name: old, protocol: layer2, addresses: [198.51.100.0/24]}]
END
# The header of a capture of Ethernet frames, and not one frame.
printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0' >"$work/manifests/empty.pcap"

inside() {                                      # inside [options…] -- arguments of martlet…
    local options=()
    while [[ $1 != -- ]]; do options+=("$1"); shift; done
    storage run --isolation chroot "${options[@]}" \
        --volume "$work/manifests:/etc/martlet/manifests:ro" \
        --volume "$work/state:/var/lib/martlet" --volume "$work/socket:/run/martlet" \
        "$container" -- /usr/bin/martlet "${@:2}"
}
daemon() {                                      # daemon [options…] -- arguments of martlet…
    (exec ip netns exec "$space" bash -c "$(declare -f storage inside)
        work=$work container=$container
        inside \"\$@\"" daemon "$@" >"$work/daemon" 2>&1 </dev/null) &
    shell=$!
}
ended() { [[ -z $(ip netns pids "$space") ]]; }
# Those in the namespace that are martlet itself: the others are buildah's.
martlets() {
    local pid
    for pid in $(ip netns pids "$space"); do
        [[ $(readlink "/proc/$pid/exe") != */usr/bin/martlet ]] || echo "$pid"
    done
}
terminate() {
    local pid
    for pid in $(martlets); do kill "$pid"; done
    wait "$shell" || true
    until_ 10 ended
}
fetched() { ip netns exec "$space" curl -sf --max-time 1 "http://127.0.0.1:7480/$1"; }

ip netns add "$space"
ip -n "$space" link set lo up
ip -n "$space" link add eth0 type veth peer name cable
ip -n "$space" link set cable up
ip -n "$space" addr add 192.0.2.11/24 dev eth0
ip -n "$space" link set eth0 up

echo "what is in the image, run:"
hold "it has less than 65 MB" test "$(du --apparent-size -sb "$root" | cut -f 1)" -lt 65000000
hold "its entry point is martlet, its user nobody in particular" \
    test "$entry" = "[/usr/bin/martlet] as 65532:65532"
hold "martlet --version says $version" says "$version" inside -- --version
hold "martlet validate finds nothing wrong with the demo's manifests" \
    inside -- validate /etc/martlet/manifests
hold "martlet explain says which address a Service would get" \
    says 192.0.2.200 inside -- explain default/web --manifests /etc/martlet/manifests
hold "martlet convert writes the kinds of an older file" \
    says 'kind: IPAddressPool' inside -- convert /etc/martlet/manifests/older/config
hold "martlet decode reads a capture: libpcap is inside" \
    inside -- decode /etc/martlet/manifests/empty.pcap

daemon -- controller --manifests /etc/martlet/manifests --state /var/lib/martlet \
    --admin /run/martlet/admin.sock --admin 127.0.0.1:7480
hold "a controller runs without any privilege" until_ 15 fetched readyz
hold "martlet status asks it" \
    until_ 10 says 192.0.2.200 inside -- status --admin /run/martlet/admin.sock
hold "it ends when it is told to" terminate

# As the kubelet makes them: root's, whom no capability helps over permissions. "ALL" would drop
# what is added, too; the defaults are dropped by name.
chown -R 0:0 "$work/state" "$work/socket"
dropped=()
for name in AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD SETFCAP SETGID SETPCAP SETUID \
    SYS_CHROOT; do
    dropped+=(--cap-drop "CAP_$name")
done
three() {                                       # NET_BIND_SERVICE, NET_RAW, SYS_NICE
    local pid
    for pid in $(martlets); do grep -E '^Cap(Prm|Eff):' "/proc/$pid/status"; done |
        awk '$2 != "0000000000802400" { exit 1 } END { exit NR != 2 }'
}
daemon --user 0:0 "${dropped[@]}" --cap-add CAP_NET_RAW --cap-add CAP_SYS_NICE \
    --cap-add CAP_NET_BIND_SERVICE -- speaker --manifests /etc/martlet/manifests \
    --state /var/lib/martlet --node node-a --interface eth0 \
    --admin /run/martlet/speaker.sock --admin 127.0.0.1:7480
hold "a speaker runs" until_ 15 fetched readyz
hold "it has three capabilities, and no other" three
hold "it announces what the controller gave" \
    until_ 10 says 192.0.2.200 inside --user 0:0 -- status --admin /run/martlet/speaker.sock
hold "it ends when it is told to" terminate

if ((failures)); then
    echo "$failures did not hold; the daemon's last words:"
    tail -n 15 "$work/daemon" | sed 's/^/    /'
    exit 1
fi
echo "  all held"
