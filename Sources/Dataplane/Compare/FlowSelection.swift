import NetworkTypes

/// Tells which of the kernel's connections lead nowhere.
///
/// Either by a list of what is to be forgotten, after a change; or by what serves, when a process
/// begins and does not know what changed before it.
public struct FlowSelection: Sendable {
    private struct Entrance: Hashable {
        let family: IPAddress.Family
        let destination: IPAddress?
        let transport: UInt8?
        let port: UInt16?

        /// Whether all that goes there is a Service's. Another host may have the same port, and
        /// this one may have the same address, or get it; there nobody's connections count but
        /// those that were translated.
        var isOurs: Bool { destination != nil && port != nil }
    }

    private struct Place: Hashable {
        let address: IPAddress
        let port: UInt16
    }

    /// By entrance the endpoints to forget; `nil` is whichever it was.
    private var lost: [Entrance: Set<Place?>] = [:]
    /// Of the entrances to forget, which parts are said: so many lookups a connection takes.
    private var shapes: Set<Shape> = []
    /// By entrance the endpoints that serve. Connections to any other are forgotten.
    private var serving: [Entrance: Set<Place>] = [:]

    private struct Shape: Hashable {
        let hasDestination: Bool
        let hasTransport: Bool
        let hasPort: Bool
    }

    /// Selects what these ask for.
    public init(_ flushes: some Sequence<FlowFlush>) {
        for flush in flushes { add(flush) }
    }

    /// Selects UDP connections to endpoints that do not serve at the entrance that the client sent
    /// to, and every connection to one of the addresses that was given an endpoint.
    public init(besides services: some Sequence<ServiceChain>, of addresses: Set<IPAddress>) {
        for service in services where service.identity.transport == .udp {
            for frontend in service.frontends {
                let entrance: Entrance =
                    switch frontend {
                    case .loadBalancer(let address, let port), .clusterIP(let address, let port),
                        .externalIP(let address, let port):
                        Entrance(
                            family: address.family, destination: address, transport: Self.udp,
                            port: port)
                    case .nodePort(let family, let port):
                        Entrance(
                            family: family, destination: nil, transport: Self.udp, port: port)
                    }
                let places = service.endpoints.lazy.filter {
                    $0.address.family == entrance.family
                }.map { Place(address: $0.address, port: $0.port) }
                serving[entrance, default: []].formUnion(places)
            }
        }
        for address in addresses {
            lost[
                Entrance(family: address.family, destination: address, transport: nil, port: nil),
                default: []
            ].insert(nil)
            shapes.insert(Shape(hasDestination: true, hasTransport: false, hasPort: false))
        }
    }

    private static let udp = ServiceChain.Transport.udp.rawValue

    /// Whether nothing is selected whatever there is.
    public var isEmpty: Bool { lost.isEmpty && serving.isEmpty }

    /// So many times the kernel walks all its connections to tell of few; beyond that it tells of
    /// more of them, and walks less often.
    static let maximumQuestions = 8

    /// What to ask the kernel, so that it tells of every connection that is selected.
    public var questions: [FlowQuestion] {
        var questions: Set<FlowQuestion> = []
        for (entrance, places) in lost {
            let transport = entrance.transport.flatMap(ServiceChain.Transport.init(rawValue:))
            // A connection that began before its address was a Service's has no endpoint.
            let isTranslated = !places.contains(nil) || !entrance.isOurs
            questions.insert(
                FlowQuestion(
                    family: entrance.family, transport: transport,
                    port: transport == nil ? nil : entrance.port, isTranslated: isTranslated))
        }
        for family in Set(serving.keys.map(\.family)) {
            questions.insert(
                FlowQuestion(family: family, transport: .udp, port: nil, isTranslated: false))
        }
        if questions.count > Self.maximumQuestions {
            let wide = questions.map {
                FlowQuestion(
                    family: $0.family, transport: $0.transport, port: nil,
                    isTranslated: $0.isTranslated)
            }
            questions = Set(wide)
        }
        return questions.sorted {
            ($0.family.rawValue, $0.port ?? 0) < ($1.family.rawValue, $1.port ?? 0)
        }
    }

    private mutating func add(_ flush: FlowFlush) {
        let entrance = Entrance(
            family: flush.family, destination: flush.destination,
            transport: flush.transport?.rawValue, port: flush.port)
        let place = flush.endpoint.map { Place(address: $0.address, port: $0.port) }
        lost[entrance, default: []].insert(place)
        shapes.insert(
            Shape(
                hasDestination: entrance.destination != nil,
                hasTransport: entrance.transport != nil, hasPort: entrance.port != nil))
    }

    /// Whether the connection is to be forgotten.
    public func contains(_ entry: FlowEntry) -> Bool {
        let place = Place(address: entry.backend, port: entry.backendPort)
        for shape in shapes {
            let entrance = Entrance(
                family: entry.destination.family,
                destination: shape.hasDestination ? entry.destination : nil,
                transport: shape.hasTransport ? entry.protocolNumber : nil,
                port: shape.hasPort ? entry.port : nil)
            guard entry.isTranslated || entrance.isOurs, let places = lost[entrance] else {
                continue
            }
            if places.contains(nil) || places.contains(place) { return true }
        }
        guard entry.protocolNumber == Self.udp, !serving.isEmpty else { return false }
        // At a node port any destination will do, so that nobody else's connections are touched
        // only translated ones count.
        for destination in entry.isTranslated ? [entry.destination, nil] : [entry.destination] {
            let entrance = Entrance(
                family: entry.destination.family, destination: destination, transport: Self.udp,
                port: entry.port)
            if let places = serving[entrance] { return !places.contains(place) }
        }
        return false
    }
}
