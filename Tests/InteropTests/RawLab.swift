import Foundation

/// A daemon that waits for a peer which the test plays itself, in every kind of session.
final class RawLab {
    /// The peer's addresses, one for each kind of session, and how the daemon holds it.
    static let kinds: [String: (number: Int, my: UInt32, field: String)] = [
        "external": (50, 64500, ""), "internal": (51, 64496, ""),
        "role provider": (52, 64500, "role: provider"), "role rs": (53, 64500, "role: rs"),
        "role peer": (54, 64500, "role: peer"), "role customer": (55, 64500, "role: customer"),
        "two-octet": (56, 64500, ""),
    ]

    let lab: RouterLab
    let daemon: Background
    var lan: NamespacedLAN { lab.lan }
    /// Where the daemon listens.
    static let daemonAddress = "192.0.2.11"

    /// - Parameters:
    ///   - kinds: the kinds of sessions.
    ///   - services: Services, each with a route of both families.
    ///   - fields: of every peer, beside those of its kind.
    init(kinds: [String] = ["external"], services: Int = 1, _ fields: String = "") throws {
        lab = try RouterLab()
        for number in 1...services { try lab.service("web-\(number)", number) }
        try lab.lan.attach("raw", host: 50)
        for number in 51...59 {
            try lab.lan.run("raw", "ip addr add 192.0.2.\(number)/24 dev eth0")
        }
        for name in kinds {
            guard let kind = Self.kinds[name] else { continue }
            try lab.peer(
                name.replacing(" ", with: "-"), at: "192.0.2.\(kind.number)", as: 64496,
                my: kind.my, "passive: true", "dualStackAddressFamily: true", kind.field, fields)
        }
        daemon = try lab.start("node-a")
        let listens = try eventually(within: 20) {
            try lab.lan.run("node-a", "ss -ltnH sport = :179").text.contains(":179")
                && lab.lan.status()?.services.count == services
        }
        guard listens != nil else { throw Unmet(description: "no start\n\(lab.lastWords)") }
    }

    /// The OPEN that fits a kind of session.
    static func open(_ kind: String) -> RawOpen {
        RawOpen(hasFourOctetAS: kind != "two-octet")
    }

    static func address(_ kind: String) -> String { "192.0.2.\(kinds[kind]?.number ?? 50)" }

    /// Connects to the daemon, and says nothing yet.
    func connect(_ kind: String = "external", window: Int32? = nil) throws -> RawPeer {
        try RawPeer(
            lan, on: "raw", from: Self.address(kind), to: Self.daemonAddress, window: window)
    }

    /// A session with the daemon, the initial table read.
    func session(_ kind: String = "external") throws -> RawPeer {
        let peer = try connect(kind).establish(Self.open(kind))
        _ = try peer.table()
        return peer
    }

    /// The daemon's figures of a peer.
    func metrics(_ names: [String], _ kind: String = "external") throws -> [Int] {
        try lan.metrics(names, of: Self.address(kind))
    }

    /// What the daemon occupies, in bytes.
    func residentMemory() throws -> Int {
        let status = try String(
            contentsOfFile: "/proc/\(daemon.processID)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
    }
}

extension NamespacedLAN {
    /// Figures of the first node's daemon about a peer.
    func metrics(_ names: [String], of peer: String) throws -> [Int] {
        let text = try Shell.run([
            "curl", "-s", "--unix-socket", adminSocket("node-a"), "http://localhost/metrics",
        ]).text
        return try names.map { name in
            let line = "\(name){peer=\"\(peer):179\","
            guard let found = text.split(separator: "\n").first(where: { $0.hasPrefix(line) }),
                let figure = found.split(separator: " ").last, let value = Double(figure)
            else { throw Unmet(description: "no metric \(line)in\n\(text)") }
            return Int(value)
        }
    }
}
