import Foundation
import Testing

/// A daemon on node-a, and hosts beside it whose programs speak BFD with it.
///
/// The peers speak no BGP: a path is watched as long as the peer is configured.
final class BFDLab {
    static let secret = "open sesame"

    let lan: NamespacedLAN
    private(set) var daemon: Background?

    init() throws {
        lan = try NamespacedLAN(nodes: 1)
        try lan.write(
            "nodes.yaml",
            """
            apiVersion: v1
            kind: Node
            metadata: {name: node-a}
            status:
              addresses: [{type: InternalIP, address: 192.0.2.11}]
              conditions: [{type: Ready, status: "True"}]

            """)
    }

    func start() throws { daemon = try lan.martlet("node-a") }

    /// Writes a BFDProfile.
    func profile(_ name: String, milliseconds: Int = 300, _ fields: String...) throws {
        let timers =
            "receiveInterval: \(milliseconds), transmitInterval: \(milliseconds)"
        try lan.write(
            "profile-\(name).yaml",
            """
            apiVersion: metallb.io/v1beta1
            kind: BFDProfile
            metadata: {name: \(name), namespace: metallb-system}
            spec: {\(([timers] + fields).joined(separator: ", "))}

            """)
    }

    /// Writes a BGPPeer whose path is watched.
    func peer(_ name: String, at address: String, profile: String, _ fields: String...) throws {
        let spec =
            ["myASN: 64512, peerASN: 64500, peerAddress: \"\(address)\", bfdProfile: \(profile)"]
            + fields
        try lan.write(
            "peer-\(name).yaml",
            """
            apiVersion: metallb.io/v1beta2
            kind: BGPPeer
            metadata: {name: \(name), namespace: metallb-system}
            spec: {\(spec.joined(separator: ", "))}

            """)
    }

    /// What `martlet status -o json` says of the path to a peer; `nil` while there is none.
    func path(_ peer: String) -> BFDSeen? {
        struct Status: Decodable {
            struct Peer: Decodable {
                var peer: String
                var bfd: BFDSeen?
            }
            var peers: [Peer]?
        }
        guard
            let output = try? Shell.run(
                [
                    NamespacedLAN.executable, "status", "--admin", lan.adminSocket("node-a"), "-o",
                    "json",
                ], allowFailure: true),  // no daemon yet is no answer yet
            output.status == 0,
            let status = try? JSONDecoder().decode(Status.self, from: Data(output.text.utf8))
        else { return nil }
        return status.peers?.first { $0.peer == peer }?.bfd
    }

    // MARK: Peers

    /// BIRD on a host, with `protocol bfd` of this body.
    func bird(_ host: String, _ body: String) throws -> BFDBird {
        try BFDBird(lan, host, body)
    }

    /// FRR's bfdd on a host, with peers of these lines.
    func frr(_ host: String, _ lines: [String]) throws -> BFDFRR {
        try BFDFRR(lan, host, lines)
    }

    /// keepalived on a host, with one BFD instance.
    func keepalived(_ host: String, source: String, milliseconds: Int) throws -> Background {
        let file = try "\(lan.makeFolder(of: host))/keepalived.conf"
        let text = """
            global_defs {
              router_id test
            }
            bfd_instance martlet {
              neighbor_ip 192.0.2.11
              source_ip \(source)
              min_rx \(milliseconds)
              min_tx \(milliseconds)
              multiplier 3
            }

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let folder = try lan.makeFolder(of: host)
        return try lan.start(
            host,
            [
                "keepalived", "-n", "-l", "-f", file, "-p", "\(folder)/pid", "-b",
                "\(folder)/bfd.pid", "-r", "\(folder)/vrrp.pid", "-c", "\(folder)/check.pid",
            ], log: "\(host).log", patience: 2)
    }
}

/// What the tests read of a path in `status -o json`.
struct BFDSeen: Decodable {
    var state: String
    var remoteState: String
    var diagnostic: String
    var detectionMilliseconds: Double?
    var echoing: Bool
    var downs: Int
}

/// BIRD, for its BFD alone.
final class BFDBird {
    let process: Background
    private let socket: String

    init(_ lan: NamespacedLAN, _ host: String, _ body: String) throws {
        let folder = try lan.makeFolder(of: host)
        socket = "\(folder)/ctl"
        let text = """
            router id 192.0.2.200;
            log stderr all;
            protocol device {}
            protocol bfd {
            \(body)
            }

            """
        try text.write(toFile: "\(folder)/bird.conf", atomically: true, encoding: .utf8)
        process = try lan.start(
            host, ["bird", "-f", "-c", "\(folder)/bird.conf", "-s", socket, "-P", "\(folder)/pid"],
            log: "\(host).log")
        try lan.waitUntil("BIRD answers", log: process) { try sessions() != nil }
    }

    /// The state of each session by its address, and `multihop` behind it where it is one.
    func sessions() throws -> [String: String]? {
        let output = try Shell.run(
            ["birdc", "-s", socket, "show", "bfd", "sessions"], allowFailure: true)
        guard output.status == 0, output.text.contains("IP address") else { return nil }
        var states: [String: String] = [:]
        for line in output.text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 6, words[0] != "IP" else { continue }
            states[words[0] + (words[1] == "---" ? " multihop" : "")] = words[2]
        }
        return states
    }
}

/// FRR's bfdd.
final class BFDFRR {
    let process: Background
    private let folder: String

    init(_ lan: NamespacedLAN, _ host: String, _ lines: [String]) throws {
        let place = try lan.makeFolder(of: host)
        folder = place
        // The daemons give up root for the package's user.
        try Shell.run(["chown", "frr:frr", place])
        let text = (["bfd"] + lines).joined(separator: "\n") + "\n"
        try text.write(toFile: "\(place)/bfdd.conf", atomically: true, encoding: .utf8)
        func start(_ program: String, _ arguments: [String]) throws -> Background {
            try lan.start(
                host,
                [
                    "/usr/lib/frr/\(program)", "-i", "\(place)/\(program).pid", "-z",
                    "\(place)/zebra.api", "--vty_socket", place, "--log", "stdout",
                ] + arguments, log: "\(host)-\(program).log")
        }
        let zebra = try start("zebra", ["-f", "/dev/null"])
        try lan.waitUntil("zebra starts", log: zebra) {
            FileManager.default.fileExists(atPath: "\(place)/zebra.api")
        }
        process = try start(
            "bfdd", ["-f", "\(place)/bfdd.conf", "--bfdctl", "\(place)/bfd.ctl"])
        try lan.waitUntil("bfdd answers", log: process) { try !peers().isEmpty }
    }

    /// What FRR knows of a session.
    struct Peer: Decodable {
        var peer: String
        var multihop: Bool
        var status: String
        var diagnostic: String
        var remoteDiagnostic: String
        var echoTransmitInterval: Int?
        var rttAverage: Int?

        enum CodingKeys: String, CodingKey {
            case peer, multihop, status, diagnostic
            case remoteDiagnostic = "remote-diagnostic"
            case echoTransmitInterval = "echo-transmit-interval"
            case rttAverage = "rtt-avg"
        }
    }

    func peers() throws -> [Peer] {
        let output = try ask("show bfd peers json")
        guard let start = output.firstIndex(of: "[") else { return [] }
        // Half an answer is none yet.
        return (try? JSONDecoder().decode([Peer].self, from: Data(output[start...].utf8))) ?? []
    }

    /// Its own table, for failures.
    var shown: String { (try? ask("show bfd peers")) ?? "" }

    @discardableResult
    func ask(_ commands: String...) throws -> String {
        try Shell.run(
            ["vtysh", "--vty_socket", folder] + commands.flatMap { ["-c", $0] },
            allowFailure: true
        ).text
    }
}
