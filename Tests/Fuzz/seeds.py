#!/usr/bin/env python3
"""Writes the corpus of every fuzz target into the folder named: seeds.py OUTPUT."""

import pathlib
import struct
import sys

tests = pathlib.Path(__file__).resolve().parent.parent
out = pathlib.Path(sys.argv[1])


def put(target, name, data):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def unhex(text):
    return bytes.fromhex("".join(line for line in text.splitlines() if not line.startswith("#")))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# Frames: length, elapsed time (with the high bit: put the checksum right), frame.
for path in sorted(tests.glob("Fixtures/layer2/*.hex")):
    frame = unhex(path.read_text())[:255]
    for mark in (0x05, 0x80):
        put("Layer2", f"{path.stem}-{mark:02x}", bytes([len(frame), mark]) + frame)

# BGP: messages, and what the session has agreed on (bit 7: headers put right).
for path in sorted(tests.glob("Fixtures/bgp/*.hex")):
    put("BGP", path.stem, unhex(path.read_text()) + b"\x03")
    put("BGP", path.stem + "-repaired", unhex(path.read_text()) * 2 + b"\x90")
for number, record in enumerate(
        (tests / "Fixtures/bgp-malformed.hex").read_text().split("\n\n")[1:]):
    digits = "".join(line for line in record.splitlines() if ":" not in line)
    put("BGP", f"malformed-{number:03}", bytes.fromhex(digits) + b"\x83")


def query(group, body):
    """A multicast listener query (RFC 3810 section 5.1) in its frame."""
    source = bytes.fromhex("fe800000000000000000000000000001")
    all_nodes = bytes.fromhex("ff020000000000000000000000000001")
    message = bytearray(struct.pack(">BBHHH", 130, 0, 0, 1000, 0) + group + body)
    pseudo = source + all_nodes + struct.pack(">II", len(message), 58)
    struct.pack_into(">H", message, 2, checksum(pseudo + bytes(message)))
    header = struct.pack(">IHBB", 0x60000000, 8 + len(message), 0, 1)
    alert = bytes([58, 0, 5, 2, 0, 0, 1, 0])
    ethernet = bytes.fromhex("33330000000102005e10009986dd")
    return ethernet + header + source + all_nodes + alert + bytes(message)


ours = bytes.fromhex("ff02" + "00" * 9 + "01ff000010")
for name, group in (("general", bytes(16)), ("group", ours)):
    for version, body in (("1", b""), ("2", bytes.fromhex("027d0000"))):
        frame = query(group, body)
        for mark in (0x05, 0xA0):
            data = bytes([len(frame), mark]) + frame
            put("Multicast", f"{name}-v{version}-{mark:02x}", data * 2)


# BFD: settings, then steps of a mark (with the high bit: put right and sign), elapsed time,
# length, datagram.
heard = {path.stem: unhex(path.read_text()) for path in sorted(tests.glob("Fixtures/bfd/*.hex"))}
for stem, packet in heard.items():
    put("BFD", stem, bytes([0x0E, 4, 9, len(packet)]) + packet)
for method in range(6):
    steps = [bytes([mark, elapsed, len(packet)]) + packet for mark, elapsed, packet in (
        (0x84, 9, heard["down"]), (0x84, 9, heard["up-poll"]), (0x84, 30, heard["up-final"]),
        (2, 1, b"\1"), (3, 1, b"\x10\x20"), (0x84, 9, heard["up-final"]), (4, 200, b""),
        (0x84, 9, heard["admin-down"]), (0, 9, b""), (1, 9, b""))]
    put("BFD", f"session-{method}", bytes([method << 4 | 0x0E]) + b"".join(steps))


# What members say: length, elapsed seconds, payload; each alone, and all after each other.
said = []
for path in sorted(tests.glob("Fixtures/membership/*.hex")):
    payload = unhex(path.read_text())
    said.append(struct.pack(">HB", len(payload), 20) + payload)
    put("Membership", path.stem, said[-1])
put("Membership", "all", b"".join(said * 2))


def stored(start, target, steps):
    """A delta of node 5 (format version 1, message type 8) with one-byte keys and values."""
    body = struct.pack(">QQBBBB", 5, 9, start, len(steps), 0, target)
    body += b"".join(bytes([1, 1, key]) + value for key, value in steps)
    payload = b"\x01\x08" + struct.pack(">H", len(body)) + body
    return struct.pack(">HB", len(payload), 30) + payload


put("Membership", "growing", stored(0, 2, [(1, b"\2a"), (2, b"\2b")]) + stored(2, 0, [(1, b"\0")])
    + stored(3, 0, [(3, b"\1")]) + stored(0, 9, [(1, b"\2a")]))


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind, flags, sequence, body):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def link(sequence, kind=16, index=7, name=b"eth0\0", flags=0x11043):
    body = struct.pack("=BBHiII", 0, 0, 1, index, flags, 0)
    body += attribute(3, name) + attribute(1, bytes.fromhex("00005e005301"))
    body += attribute(10, struct.pack("=I", 9)) + attribute(35, struct.pack("=I", 3))
    return message(kind, 2, sequence, body + attribute(18, attribute(1, b"veth\0")))


def address(sequence, text, length, kind=20):
    value = bytes.fromhex(text)
    body = struct.pack("=BBBBi", 2 if len(value) == 4 else 10, length, 0, 0, 7)
    return message(kind, 2, sequence, body + attribute(1, value) + attribute(2, value))


def done(sequence):
    return message(3, 2, sequence, bytes(4))


def datagrams(*parts):
    return b"\0" + b"".join(struct.pack(">H", len(part)) + part for part in parts)


both = address(2, "c0000202", 24) + address(2, "20010db8" + "00" * 11 + "02", 64)
put("Netlink", "dump", datagrams(link(1), done(1), both + done(2)))
put("Netlink", "change", datagrams(
    link(1), done(1), both, done(2), address(0, "c0000202", 24, kind=21), link(0, flags=0x1002),
    link(0, kind=17)))
put("Netlink", "error", datagrams(message(2, 0, 1, struct.pack("=i", -16)), link(2)))
refusal = struct.pack("=iIHHII", -2, 84, 0x0A06, 0, 8, 0) + attribute(1, b"no such chain\0")
acknowledgement = struct.pack("=iIHHII", 0, 84, 0x0A06, 0, 7, 0)
put("Netlink", "answers",
    b"\1" + message(2, 0x100, 7, acknowledgement) + message(2, 0x300, 8, refusal))
notice = struct.pack("=iIII", 1, 0x100, 0, 16) + b"service.yaml".ljust(16, b"\0")
put("Netlink", "notices", b"\2" + notice + struct.pack("=iIII", -1, 0x4000, 0, 0))


# The kernel's dump of our table, and of connections: type, length, what is behind the header.
def nested(kind, *parts):
    return attribute(kind | 0x8000, b"".join(parts))


def named(kind, text):
    return attribute(kind, text.encode() + b"\0")


def word(kind, value):
    return attribute(kind, struct.pack(">I", value))


def told(kind, *parts, family=1):
    body = bytes([family, 0, 0, 7]) + b"".join(parts)
    return struct.pack(">BH", kind, len(body)) + body


def element(key, *more):
    return nested(1, nested(1, attribute(1, key)), *more)


def elements(name, *items):
    return told(12, named(1, "martlet"), named(2, name), nested(3, *items))


def leads_to(chain):
    return nested(2, nested(2, word(1, 0xFFFFFFFC), named(2, chain)))


counter = nested(7, named(1, "counter"),
                 nested(2, attribute(1, struct.pack(">Q", 60)), attribute(2, struct.pack(">Q", 1))))
place = struct.pack(">IHH", 0xC0000201, 8080, 0)
own = "cluster4/shop/game/http/udp"
parts = [
    told(0, named(1, "martlet"), word(2, 0),
         attribute(6, b"\0\5ours\0" + b"\x6d\x08" + bytes(8))),
    told(3, named(1, "martlet"), named(3, "prerouting"), word(5, 1), named(7, "nat"),
         nested(4, word(1, 0), word(2, 0xFFFFFF97))),
    told(3, named(1, "martlet"), named(3, "cluster4/shop/web/http/tcp")),
    told(6, named(1, "martlet"), named(2, "cluster4/shop/web/http/tcp"),
         attribute(7, b"\x6d\x08" + bytes(8) + b"\x6e\x08" + struct.pack(">II", 0, 1))),
]
parts += [told(9, named(1, "martlet"), named(2, name), word(3, flags)) for name, flags in (
    ("frontends4", 8), ("endpoints4-0", 8), ("hairpins6", 0), ("choices-" + own, 8),
    ("living-" + own, 8), ("affinity-" + own, 0x38), ("__set0", 7))]
parts += [
    elements("frontends4", element(bytes.fromhex("c00002010600000000500000"), counter,
                                   leads_to("cluster4/shop/web/http/tcp"))),
    elements("endpoints4-0", element(struct.pack("=I", 0), nested(2, attribute(1, place)))),
    elements("hairpins6", element(bytes(32))),
    elements("choices-" + own, element(struct.pack("=I", 0),
                                       nested(2, attribute(1, struct.pack("=I", 9))))),
    elements("living-" + own, element(struct.pack("=I", 9), nested(2, attribute(1, place)),
                                      nested(11, counter))),
    told(15, word(1, 7)),
]
put("Dataplane", "table", b"\x80" + b"".join(parts))
put("Dataplane", "objects", b"\xc0" + b"".join(parts[1:]))
put("Dataplane", "elements", b"\x40" + b"".join(parts[4:]))


def direction(kind, source, destination, ports):
    return nested(kind, nested(1, attribute(1, source), attribute(2, destination)),
                  nested(2, attribute(1, b"\x11"), attribute(2, ports[:2]), attribute(3, ports[2:])))


client, entrance, backend = (bytes.fromhex(text) for text in ("c0000264", "c0000201", "c0000263"))
flow = (direction(1, client, entrance, b"\x30\x39\0\7")
        + direction(2, backend, client, b"\x1f\x90\x30\x39") + word(3, 0x2E) + word(12, 99))
put("Dataplane", "flows", b"\1" + told(0, flow, family=2) * 2)
put("Dataplane", "flow", b"\2" + bytes([2, 0, 0, 0]) + flow)

for number, text in enumerate("""192.0.2.1 0.0.0.0 255.255.255.255 2001:db8::1 :: ::1
    1:2:3:4:5:6:7:8
    2001:db8:0:1::/64 ::ffff:192.0.2.1 2001:db8:1:2:3:4:192.0.2.1 192.0.2.0/24 0.0.0.0/0
    ::/0 ::1/128 192.0.2.10-192.0.2.99 2001:db8::-2001:db8::ffff
    ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
    00:00:5e:00:53:ff 00-00-5E-00-53-01 192.0.2.010 fe80::1%eth0""".split()):
    put("Addresses", f"{number:02}", text.encode())

for path in sorted(tests.glob("Fixtures/manifests/*.yaml")):
    put("Manifests", path.name, path.read_bytes()[:4096])



def answers(resource, name, objects):
    """One object, a page, and a watch of them; see FuzzAPI.swift for the two bytes in front."""
    put("API", f"{name}-object", bytes([resource, 0]) + objects[0].encode())
    page = '{"kind":"List","metadata":{"resourceVersion":"90","continue":"c"},"items":[%s]}'
    put("API", f"{name}-page", bytes([resource, 1]) + (page % ",".join(objects)).encode())
    lines = ['{"type":"%s","object":%s}' % (kind, text)
             for text in objects for kind in ("ADDED", "MODIFIED", "DELETED")]
    lines += ['{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"91","annotations":'
              '{"k8s.io/initial-events-end":"true"}}}}',
              '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}',
              '{"type"']
    put("API", f"{name}-watch", bytes([resource, 2 | 6 << 2]) + "\r\n".join(lines).encode())


def meta(name, version, more=""):
    return ('"metadata":{"name":"%s","namespace":"metallb-system","uid":"u","resourceVersion":"%s",'
            '"managedFields":[{"manager":"m","fieldsV1":{"f:spec":{}}}]%s}' % (name, version, more))


answers(0, "service", ['{"kind":"Service","apiVersion":"v1",' + meta(
    "web", 7, ',"labels":{"app":"web"},"annotations":{"metallb.io/address-pool":"lan"}')
    + ',"spec":{"type":"LoadBalancer","clusterIPs":["198.18.0.9"],"ports":[{"port":80,"nodePort":'
    '30080,"targetPort":"http"}]},"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.10"}]},'
    '"conditions":[{"type":"martlet.dev/AddressAssigned","status":"True"}]}}'])
answers(1, "slice", ['{"kind":"EndpointSlice",' + meta(
    "web-1", 8, ',"labels":{"kubernetes.io/service-name":"web"}')
    + ',"addressType":"IPv4","ports":[{"name":"http","port":80}],"endpoints":[{"addresses":'
    '["198.18.1.2"],"conditions":{"ready":true},"nodeName":"worker-with-a-name","targetRef":'
    '{"kind":"Pod","namespace":"metallb-system","name":"p"}}]}'])
answers(2, "node", ['{"kind":"Node",' + meta("n", 9)
    + ',"spec":{"unschedulable":true,"taints":[{"key":"k"}]},"status":{"conditions":[{"type":'
    '"Ready","status":"True"}],"addresses":[{"type":"InternalIP","address":"192.0.2.7"}]}}'])
answers(4, "secret", ['{"kind":"Secret",' + meta("s", 5) + ',"data":{"password":"c2VjcmV0"}}'])
for number, (kind, spec) in enumerate((
        ("IPAddressPool", '"addresses":["192.0.2.0/26","2001:db8:1::/112"]'),
        ("L2Advertisement", '"ipAddressPools":["lan"],"interfaces":["eth0"]'),
        ("BGPAdvertisement", '"communities":["64500:100"],"aggregationLength":32'),
        ("BGPPeer", '"myASN":64500,"peerASN":64501,"peerAddress":"192.0.2.1","holdTime":"90s"'),
        ("BFDProfile", '"receiveInterval":100,"detectMultiplier":3'),
        ("Community", '"communities":[{"name":"quiet","value":"64500:666"}]'))):
    answers(7 + number, kind, ['{"kind":"%s",%s,"spec":{%s},"status":{"assignedIPv4":1}}' % (
        kind, meta(name, version), spec) for name, version in (("a", 11), ("b", 12))])
put("API", "lease", b"\5\3" + ('{"kind":"Lease",' + meta("l", 3)
    + ',"spec":{"holderIdentity":"me","leaseDurationSeconds":15}}').encode())
put("API", "statuses", b"\6\3" + (
    '{"items":[{' + meta("x", 4) + ',"status":{"node":"n","serviceName":"web",'
    '"serviceNamespace":"shop","interfaces":[{"name":"eth0"}],"result":"Valid"}}]}').encode())
put("API", "status", b'\0\3{"kind":"Status","code":429,"details":{"retryAfterSeconds":3}}')

put("State", "allocations", b"""A{"format": "martlet allocations", "version": 1, "generation": 7,
"writer": "node-a, process 4711", "services": {"default/web": {"addresses": ["192.0.2.10",
"2001:db8::10"], "pool": "lan", "since": "2030-01-31T12:00:00Z"}, "default/gone": {"addresses":
["192.0.2.11"], "pool": "lan", "reservedUntil": "2030-02-01T00:00:00Z"}}}""")
put("State", "speaker", b"""B{"format": "martlet speaker", "version": 1, "node": "node-a",
"interfaces": [{"name": "eth0", "mac": "00:00:5e:00:53:01", "prefixes": ["192.0.2.0/24",
"2001:db8::/64"], "usable": true}], "claims": {"192.0.2.10": 3}, "serving": true}""")
put("State", "status", b"""C{"format": "martlet status", "version": 1, "conditions":
{"default/web": [{"type": "AddressAssigned", "status": true, "reason": "Assigned", "message":
"from lan", "since": "2030-01-31T12:00:00Z"}]}, "pools": {"lan": {"assignedIPv4": 1,
"assignedIPv6": 0, "availableIPv4": 255, "availableIPv6": 0}}, "events": [{"service":
"default/web", "severity": "normal", "reason": "Assigned", "message": "192.0.2.10", "at":
"2030-01-31T12:00:00Z"}]}""")

put("Sealed", "keys", b"K# ours\n" + b"A" * 43 + b"=\n" + b"A" * 21 + b"Q==\n")
inside = bytes(7) + b"\2" + b"\1" + bytes(8) + b"hello"
for version, name in ((1, "sealed"), (0x81, "open")):
    datagram = bytes([version]) + bytes(4) + b"session of other" + bytes(7) + b"\1" + inside
    datagram += bytes(16) if version == 1 else b""
    put("Sealed", name, bytes([version & 1 ^ 1, 0, 9, 7, len(datagram)]) + datagram)
    put("Sealed", f"{name}-exchange", bytes([version & 1 ^ 1]) + b"\1\0\7\0" * 3
        + b"\1\100\7\2\36\1")
