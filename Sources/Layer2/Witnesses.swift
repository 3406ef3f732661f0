import NetworkTypes

/// Who is asked for a sign of life when this node is isolated: stations that were heard lately, and
/// the addresses of nodes and gateways that the caller knows.
struct Witnesses: Equatable, Sendable {
    struct Station: Equatable, Sendable {
        let address: IPAddress
        let hardware: MACAddress
    }

    static let maximumStations = 8
    static let stationsAsked = 4
    static let questions = 8

    var ownAddresses: [IPAddress] = []
    var companions: [IPAddress] = []
    /// The latest last.
    private(set) var stations: [Station] = []

    /// Remembers a station that said where it is.
    mutating func note(_ address: IPAddress, at hardware: MACAddress) {
        let station = Station(address: address, hardware: hardware)
        guard stations.last != station else { return }
        stations.removeAll { $0.hardware == hardware }
        if stations.count == Self.maximumStations { stations.removeFirst() }
        stations.append(station)
    }

    /// The questions of one round. Unicast to stations that were heard: it reaches them through
    /// switches that know them, and disturbs nobody else.
    func round(except own: (IPAddress) -> Bool) -> [(IPAddress, MACAddress?)] {
        let heard = stations.reversed().filter { !own($0.address) }.prefix(Self.stationsAsked)
        let told = companions.filter { address in
            !own(address) && !ownAddresses.contains(address)
                && !heard.contains { $0.address == address }
        }
        return heard.map { ($0.address, $0.hardware) }
            + told.prefix(Self.questions - heard.count).map { ($0, nil) }
    }

    /// Writes the question for `target`. It comes from the own address nearest to it, so that the
    /// answer comes to us alone; without one it is a probe.
    func ask(
        _ target: IPAddress, at hardware: MACAddress?, from own: MACAddress,
        into buffer: inout FrameBuffer
    ) {
        guard let source = source(for: target) else {
            AddressFrames(address: target, hardware: own).probe(into: &buffer)
            return
        }
        guard let group = target.solicitedNodeMulticast else {
            ARPPacket(
                operation: .request, senderHardware: own, senderAddress: source,
                targetHardware: .zero, targetAddress: target
            ).encode(to: hardware ?? .broadcast, from: own, into: &buffer)
            return
        }
        NeighborSolicitation(
            source: source, destination: hardware == nil ? group : target, target: target,
            sourceLinkLayerAddress: own
        ).encode(to: hardware ?? MACAddress(group: group), from: own, into: &buffer)
    }

    private func source(for target: IPAddress) -> IPAddress? {
        ownAddresses.filter { $0.family == target.family && $0.isLinkLocal == target.isLinkLocal }
            .min { ($0.bits ^ target.bits, $0.bits) < ($1.bits ^ target.bits, $1.bits) }
    }
}
