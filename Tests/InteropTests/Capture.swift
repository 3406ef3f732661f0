import Foundation

/// Frames that pass a host's interface, as tcpdump prints them, each with the time it was seen.
struct Capture {
    /// One line: `TIME SOURCE > DESTINATION, ethertype …: text`.
    struct Frame {
        let time: Double
        let source: String
        let destination: String
        let text: String

        init?(_ line: Substring) {
            let words = line.split(separator: " ", maxSplits: 4)
            guard words.count == 5, let time = Double(words[0]), words[2] == ">" else { return nil }
            self.time = time
            source = String(words[1])
            destination = String(words[3].dropLast())
            text = String(words[4])
        }

        /// The low bit of the first octet says that a frame goes to a group.
        var isToGroup: Bool { UInt8(destination.prefix(2), radix: 16).map { $0 & 1 == 1 } ?? false }

        /// An unasked announcement of an address: any of the ARP forms, or an advertisement to all.
        func isAnnouncement(of address: String) -> Bool {
            guard isToGroup else { return false }
            return text.contains("Announcement \(address),")
                || text.contains("who-has \(address) tell \(address),")
                || text.contains("Reply \(address) is-at ")
                || isAdvertisement(of: address)
        }

        /// An answer to a question of ours.
        func isAnswer(for address: String) -> Bool {
            !isToGroup && (text.contains("Reply \(address) is-at ") || isAdvertisement(of: address))
        }

        private func isAdvertisement(of address: String) -> Bool {
            text.contains("neighbor advertisement, tgt is \(address),")
        }
    }

    private let process: Background

    init(_ lan: NamespacedLAN, on host: String = "client", filter: String = "arp or icmp6") throws {
        process = try lan.start(
            host, ["tcpdump", "-ttlne", "--immediate-mode", "-i", "eth0", filter],
            log: "capture-\(host).log")
        let process = process
        guard eventually(within: 10, { process.text.contains("listening on") }) != nil else {
            throw Shell.Failed(
                command: "tcpdump", output: .init(status: -1, text: process.text))
        }
    }

    /// What was seen since a moment, in order.
    func frames(since moment: Double = 0) -> [Frame] {
        process.text.split(separator: "\n").compactMap(Frame.init).filter { $0.time >= moment }
    }

    func announcements(
        of address: String, by macAddress: String, since moment: Double = 0
    ) -> [Frame] {
        frames(since: moment).filter {
            $0.source == macAddress && $0.isAnnouncement(of: address)
        }
    }

    func answers(for address: String, by macAddress: String, since moment: Double = 0) -> [Frame] {
        frames(since: moment).filter { $0.source == macAddress && $0.isAnswer(for: address) }
    }
}
