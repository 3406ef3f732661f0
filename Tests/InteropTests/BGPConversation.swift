import Foundation

/// BGP messages as they pass a host's interface, taken down and decoded by tcpdump.
final class BGPConversation {
    struct Message {
        /// `Open`, `Update`, `Notification`, `Keepalive` or `Route Refresh`.
        let type: String
        /// The lines about it.
        var text: String
    }

    /// One TCP segment, and the messages in it.
    struct Packet {
        let time: Double
        let source: String
        let sourcePort: Int
        let destination: String
        let hopLimit: Int
        let flags: String
        /// Whether it carries an MD5 signature that is right for the lab's password (RFC 2385).
        let isSigned: Bool
        var messages: [Message] = []

        /// Whether it asks for a connection.
        var isOpening: Bool { flags == "S" }

        /// The first line, with the second one of IPv4 joined to it.
        init?(_ line: Substring) {
            let pattern =
                /^([0-9.]+) IP6? .*?(?:ttl|hlim) (\d+).* (\S+)\.(\d+) > (\S+)\.\d+: Flags \[(.*?)\]/
            guard let match = line.prefixMatch(of: pattern), let time = Double(match.1),
                let hopLimit = Int(match.2), let port = Int(match.4)
            else { return nil }
            self.time = time
            source = String(match.3)
            sourcePort = port
            destination = String(match.5)
            self.hopLimit = hopLimit
            flags = String(match.6)
            isSigned = line.contains("md5 valid")
        }
    }

    private let process: Background
    private let file: String

    init(_ lan: NamespacedLAN, on host: String, interface: String = "eth0") throws {
        file = "\(try lan.makeFolder(of: host))/\(UUID().uuidString).pcap"
        process = try lan.start(
            host,
            [
                "tcpdump", "-Z", "root", "-Uni", interface, "--immediate-mode", "-s", "0", "-w",
                file, "tcp",
            ], log: "conversation-\(host).log")
        try lan.waitUntil("tcpdump listens", log: process) {
            process.text.contains("listening on")
        }
    }

    /// The segments that have passed since a moment, in order.
    func packets(since moment: Double = 0) throws -> [Packet] {
        let text = try Shell.run(
            [
                "bash", "-c",
                """
                tcpdump -Z root -nvtt -M \(RouterLab.password) -r \(file) 2>/dev/null
                """,
            ], allowFailure: true
        ).text.replacing("\n    ", with: " ")
        var packets: [Packet] = []
        for line in text.split(separator: "\n") {
            if let packet = Packet(line) {
                packets.append(packet)
            } else if let last = packets.indices.last {
                packets[last].take(line)
            }
        }
        return packets.filter { $0.time >= moment }
    }

    /// The messages from one address to another since a moment, keepalives left out.
    func messages(
        from source: String, to destination: String? = nil, since moment: Double
    ) throws -> [Message] {
        try packets(since: moment)
            .filter { $0.source == source && (destination ?? $0.destination) == $0.destination }
            .flatMap(\.messages).filter { $0.type != "Keepalive" }
    }
}

extension BGPConversation.Packet {
    mutating func take(_ line: Substring) {
        if let head = line.firstMatch(of: /^\t(\S.*) Message \(\d+\), length: \d+/) {
            messages.append(BGPConversation.Message(type: String(head.1), text: String(line)))
        } else if let last = messages.indices.last {
            messages[last].text += "\n" + line
        }
    }
}

extension BGPConversation.Message {
    /// The prefixes named in it, announced or withdrawn.
    var prefixes: Set<String> {
        Set(
            text.split(separator: "\n").compactMap { line in
                let word = line.trimmingCharacters(in: .whitespaces)
                return word.wholeMatch(of: /[0-9a-f:.]+\/\d+/) == nil ? nil : word
            })
    }

    /// Whether the prefixes are taken back.
    var isWithdrawal: Bool { text.contains("Withdrawn routes") || text.contains("Unreach NLRI") }

    var isEndOfRIB: Bool { text.contains("End-of-Rib") }
}
