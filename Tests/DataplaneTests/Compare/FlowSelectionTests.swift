import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct FlowSelectionTests {
    private static let translated: UInt32 = 1 << 5

    /// A connection as the kernel tells it, what is behind the netlink header.
    private func entry(
        _ client: String, to destination: String, _ port: UInt16, at backend: String,
        _ backendPort: UInt16, number: UInt8 = 17, status: UInt32 = FlowSelectionTests.translated
    ) throws -> [UInt8] {
        let source = try Example.address(client)
        let isIPv4 = source.family == .ipv4
        var writer = NetlinkWriter(capacity: 256)
        writer.append([isIPv4 ? 2 : 10, 0, 0, 0])
        func tuple(
            _ type: UInt16, _ from: IPAddress, _ out: UInt16, _ to: IPAddress, _ into: UInt16
        ) {
            writer.nested(type) { tuple in
                tuple.nested(1) {
                    $0.attribute(isIPv4 ? 1 : 3) { from.write(to: &$0) }
                    $0.attribute(isIPv4 ? 2 : 4) { to.write(to: &$0) }
                }
                tuple.nested(2) {
                    $0.byte(1, number)
                    $0.attribute(2) { $0.network(out) }
                    $0.attribute(3) { $0.network(into) }
                }
            }
        }
        let answering = try Example.address(backend)
        tuple(1, source, 40_000, try Example.address(destination), port)
        tuple(2, answering, backendPort, source, 40_000)
        writer.word(3, status)
        writer.word(12, 0xdead_beef)
        return writer.bytes
    }

    private func isSelected(_ payload: [UInt8], _ selection: FlowSelection) throws -> Bool {
        let entry = FlowEntry(type: 0x0100, payload: payload.span)
        return selection.contains(try #require(entry))
    }

    private func dns(_ family: IPAddress.Family) throws -> (ServiceChain, ServiceChain) {
        let isIPv4 = family == .ipv4
        let address = try Example.address(isIPv4 ? "203.0.113.53" : "2001:db8:ff::53")
        let endpoints = try [1, 2].map { number in
            ServiceChain.Endpoint(
                try Example.address(isIPv4 ? "192.0.2.\(number)" : "2001:db8::\(number)"),
                port: 5353, isLocal: true)
        }
        let whole = Example.service(
            transport: .udp,
            frontends: [.loadBalancer(address, port: 53), .nodePort(family, port: 30_053)],
            endpoints: endpoints)
        var less = whole
        less.endpoints.removeFirst()
        return (whole, less)
    }

    private struct Flow: Sendable {
        let family: IPAddress.Family
        let client: String
        let service: String
        let node: String
        let first: String
        let second: String
    }

    private static let flows = [
        Flow(
            family: .ipv4, client: "198.51.100.7", service: "203.0.113.53", node: "198.51.100.1",
            first: "192.0.2.1", second: "192.0.2.2"),
        Flow(
            family: .ipv6, client: "2001:db8:c::7", service: "2001:db8:ff::53",
            node: "2001:db8:c::1", first: "2001:db8::1", second: "2001:db8::2"),
    ]

    @Test(
        "an endpoint that went: its connections are selected at every entrance, others' are not",
        arguments: flows)
    private func endpointGone(_ flow: Flow) throws {
        let (whole, less) = try dns(flow.family)
        var ruleset = Ruleset()
        _ = ruleset.update(to: [whole])
        let selection = FlowSelection(ruleset.update(to: [less]).flushes)
        for (target, port) in [(flow.service, UInt16(53)), (flow.node, 30_053)] {
            let gone = try entry(flow.client, to: target, port, at: flow.first, 5353)
            let stays = try entry(flow.client, to: target, port, at: flow.second, 5353)
            #expect(try isSelected(gone, selection))
            #expect(try !isSelected(stays, selection))
        }
        let tcp = try entry(flow.client, to: flow.service, 53, at: flow.first, 5353, number: 6)
        #expect(try !isSelected(tcp, selection))
        #expect(selection.questions.allSatisfy { $0.family == flow.family })
    }

    @Test("an address that no Service has any more: all its connections, and only they")
    func addressGone() throws {
        let address = try Example.address("2001:db8:ff::53")
        let selection = FlowSelection([FlowFlush(to: address)])
        for number in [UInt8(6), 17, 58, 132] {
            #expect(
                try isSelected(
                    entry(
                        "2001:db8:c::7", to: "2001:db8:ff::53", 80, at: "2001:db8::1", 8080,
                        number: number), selection))
        }
        #expect(
            try !isSelected(
                entry("2001:db8:c::7", to: "2001:db8:ff::54", 80, at: "2001:db8::1", 8080),
                selection))
        #expect(selection.questions.map(\.transport) == [nil])
        // Were the address the node's own, what goes to the node itself would be none of ours.
        #expect(
            try !isSelected(
                entry(
                    "2001:db8:c::7", to: "2001:db8:ff::53", 22, at: "2001:db8:ff::53", 22,
                    number: 6, status: 0), selection))
    }

    @Test(
        "a node port that comes or goes: others' connections to a port of that number live on",
        arguments: flows)
    private func nodePort(_ flow: Flow) throws {
        let (whole, _) = try dns(flow.family)
        var ported = whole
        ported.frontends = whole.frontends.filter { $0 == .nodePort(flow.family, port: 30_053) }
        var ruleset = Ruleset()
        let came = FlowSelection(ruleset.update(to: [ported]).flushes)
        let went = FlowSelection(ruleset.update(to: []).flushes)
        // To another host, and to a port that another program translates.
        let passing = try entry(
            flow.client, to: flow.service, 30_053, at: flow.service, 30_053, status: 0)
        let foreign = try entry(flow.client, to: flow.node, 30_053, at: flow.client, 53)
        let direct = try entry(flow.client, to: flow.first, 30_053, at: flow.first, 5353, status: 0)
        for selection in [came, went] {
            for stranger in [passing, foreign, direct] {
                #expect(try !isSelected(stranger, selection))
            }
        }
        let own = try entry(flow.client, to: flow.node, 30_053, at: flow.second, 5353)
        #expect(try isSelected(own, went))
        #expect(went.questions.allSatisfy { $0.isTranslated })
    }

    @Test("addresses that only look like a load balancer's are no stray ones")
    func strays() throws {
        let (stays, goes) = (
            try Example.address("203.0.113.10"), try Example.address("2001:db8:ff::10")
        )
        let others: [ServiceChain.Frontend] = [
            .externalIP(try Example.address("198.51.100.1"), port: 80),
            .clusterIP(try Example.address("198.18.0.10"), port: 80),
            .nodePort(.ipv4, port: 30_080),
        ]
        var former = Ruleset()
        _ = former.update(to: [
            Example.service(
                "former",
                frontends: others + [
                    .loadBalancer(stays, port: 80), .loadBalancer(goes, port: 80),
                ])
        ])
        let table = KernelAnswers(former).table
        let left = Example.service("left", frontends: [.loadBalancer(stays, port: 81)])
        #expect(table.strayAddresses(besides: [left]) == [goes])
    }

    @Test(
        "at the start: UDP connections to what does not serve, and all to addresses that are gone",
        arguments: flows)
    private func atStart(_ flow: Flow) throws {
        let (_, less) = try dns(flow.family)
        let stray = try Example.address(flow.family == .ipv4 ? "203.0.113.99" : "2001:db8:ff::99")
        let selection = FlowSelection(besides: [less], of: [stray])
        let dead = try entry(flow.client, to: flow.service, 53, at: flow.first, 5353)
        let living = try entry(flow.client, to: flow.service, 53, at: flow.second, 5353)
        let lost = try entry(
            flow.client, to: flow.service, 53, at: flow.service, 53, status: 0)
        let strayTCP = try entry(
            flow.client, to: "\(stray)", 443, at: flow.second, 8443, number: 6)
        let foreign = try entry(
            flow.client, to: flow.first, 30_053, at: flow.first, 30_053, status: 0)
        #expect(try isSelected(dead, selection))
        #expect(try isSelected(lost, selection))
        #expect(try isSelected(strayTCP, selection))
        #expect(try !isSelected(living, selection))
        // It only has a node port in common with ours and was never sent elsewhere.
        #expect(try !isSelected(foreign, selection))
    }

    @Test("many entrances are asked for together, so that the kernel walks its table few times")
    func fewQuestions() throws {
        let address = try Example.address("203.0.113.53")
        let services = (0..<100).map { number in
            Example.service(
                "dns\(number)", transport: .udp,
                frontends: [.loadBalancer(address, port: UInt16(1_000 + number))])
        }
        var ruleset = Ruleset()
        let selection = FlowSelection(ruleset.update(to: services).flushes)
        #expect(selection.questions.count == 1)
        let waiting = try entry(
            "198.51.100.7", to: "203.0.113.53", 1_042, at: "203.0.113.53", 1_042, status: 0)
        #expect(try isSelected(waiting, selection))
    }

    @Test("a deletion names the connection as the kernel did, with its number")
    func deletion() throws {
        let payload = try entry("198.51.100.7", to: "203.0.113.53", 53, at: "192.0.2.1", 5353)
        let message = FlowEntry.deletion(of: payload.span).message(sequence: 7, isAnswered: true)
        // Type (IPCTNL_MSG_CT_DELETE), then request and acknowledge.
        #expect(KernelAnswers.host(message[4..<6]) == 0x0102)
        #expect(KernelAnswers.host(message[6..<8]) == 0x5)
        #expect(message[16] == 2)
        let original = payload[4..<(4 + Int(KernelAnswers.host(payload[4..<6])))]
        #expect(message.firstRange(of: original) != nil)
        #expect(message.firstRange(of: [0xde, 0xad, 0xbe, 0xef]) != nil)
    }

    @Test("a connection that is cut anywhere, or has a changed byte, never traps")
    func broken() throws {
        let payload = try entry("198.51.100.7", to: "203.0.113.53", 53, at: "192.0.2.1", 5353)
        var read = 0
        for length in payload.indices {
            let part = Array(payload[..<length])
            read += FlowEntry(type: 0x0100, payload: part.span) == nil ? 0 : 1
            _ = FlowEntry.deletion(of: part.span)
            for value in [UInt8(0), 0x7f, 0xff] {
                var changed = payload
                changed[length] = value
                _ = FlowEntry(type: 0x0100, payload: changed.span)
                _ = FlowEntry.deletion(of: changed.span)
            }
        }
        #expect(read < payload.count / 2)
    }
}
