import NetworkTypes

/// An Ethernet segment with a switch in the middle that learns where stations are.
///
/// Like a real one it sends a frame for a station that it knows to one port only, also when the
/// station has meanwhile moved: it learns by what a station sends and by nothing else.
package struct VirtualLAN: Sendable {
    /// A frame on its way.
    package struct Transit: Sendable {
        /// The whole frame.
        package var frame: [UInt8]
        /// The port it came in by.
        package var from: Int
        /// The port it goes out by; `nil`: every one but ``from``.
        package var to: Int?
        /// When it arrives.
        package var arrives: Instant
    }

    /// How long the switch remembers a station that is silent.
    package static let memory = Duration.seconds(300)
    /// How many stations the switch remembers at most; frames for others are flooded.
    package static let maximumStations = 8_192

    /// The paths between ports.
    package var medium = Medium()
    private var learned: [MACAddress: (port: Int, at: Instant)] = [:]

    /// A switch that knows no station.
    package init() {}

    /// Which port the switch believes the station to be at.
    package func port(of station: MACAddress, at now: Instant) -> Int? {
        guard let known = learned[station], now - known.at < Self.memory else { return nil }
        return known.port
    }

    /// Takes in a frame at a port. Gives the ways it goes on: one, two if it is doubled, none when
    /// it is no frame at all. Whether a receiver gets it is decided when it arrives.
    package mutating func send(
        _ frame: [UInt8], from port: Int, at now: Instant, _ random: inout SeededRandom
    ) -> [Transit] {
        guard frame.count >= 14 else { return [] }
        let destination = MACAddress(bits: Self.bits(frame, at: 0))
        let source = MACAddress(bits: Self.bits(frame, at: 6))
        if !source.isGroup, learned.count < Self.maximumStations || learned[source] != nil {
            learned[source] = (port, now)
        }
        let target = destination.isGroup ? nil : self.port(of: destination, at: now)
        if target == port { return [] }
        // A frame for all arrives everywhere at the same time: the switch is where the delay is.
        let arrivals = medium.arrivals(from: port, to: target ?? port, at: now, &random)
        let first = Transit(frame: frame, from: port, to: target, arrives: arrivals.first)
        guard let second = arrivals.second else { return [first] }
        return [first, Transit(frame: frame, from: port, to: target, arrives: second)]
    }

    /// Forgets every station, as a switch does that was restarted.
    package mutating func forgetStations() { learned = [:] }

    private static func bits(_ frame: [UInt8], at offset: Int) -> UInt64 {
        var bits: UInt64 = 0
        for index in offset..<offset + 6 { bits = bits << 8 | UInt64(frame[index]) }
        return bits
    }
}
