import NetworkTypes
import Testing

@testable import BGP

@Suite("Two OPENs agree, or are refused")
struct SessionAgreementTests {
    private func agree(
        _ theirs: OpenMessage, _ change: (inout PeerSettings) -> Void = { _ in }
    ) throws(MessageFault) -> SessionParameters {
        let settings = PeerSettings.fixture(change)
        let occasion = OpenMessage.Occasion(
            isRestarting: false, isForwardingPreserved: false, hasCapabilities: true)
        return try SessionParameters.agree(
            ours: OpenMessage(offering: settings, on: occasion), theirs: theirs,
            settings: settings)
    }

    private func fault(
        _ theirs: OpenMessage, _ change: (inout PeerSettings) -> Void = { _ in }
    ) -> NotificationMessage? {
        do throws(MessageFault) {
            _ = try agree(theirs, change)
            return nil
        } catch {
            return error.notification
        }
    }

    @Test("The shorter hold time counts, and keepalives come three times in it at least")
    func holdTimes() throws {
        let short = try agree(.fixture(holdTime: 9))
        #expect(short.holdTime == 9)
        #expect(short.keepaliveTime == 3)
        let long = try agree(.fixture(holdTime: 600)) { $0.keepaliveTime = 10 }
        #expect(long.holdTime == 90)
        #expect(long.keepaliveTime == 10)
        let never = try agree(.fixture(holdTime: 0))
        #expect(never.holdTime == 0)
        #expect(never.keepaliveTime == 0)
    }

    @Test("A hold time of one or two seconds is refused, with the time as data", arguments: [1, 2])
    func shortHoldTime(seconds: UInt16) {
        #expect(
            fault(.fixture(holdTime: seconds))
                == NotificationMessage(code: 2, subcode: 6, data: [0, UInt8(seconds)]))
    }

    @Test("Another version is refused with ours as data")
    func version() {
        var open = OpenMessage.fixture()
        open.version = 5
        #expect(fault(open) == NotificationMessage(code: 2, subcode: 1, data: [0, 4]))
    }

    @Test("The AS number is that of the capability, and has to be the one configured")
    func autonomousSystem() throws {
        var open = OpenMessage.fixture([.multiprotocol(.ipv4), .fourOctetAS(4_200_000_001)])
        open.myAS = 23456
        let agreed = try agree(open) { $0.remoteAS = .number(4_200_000_001) }
        #expect(agreed.remoteAS == 4_200_000_001)
        #expect(agreed.hasFourOctetAS)
        #expect(
            fault(open) == NotificationMessage(code: 2, subcode: 2, data: [0xFA, 0x56, 0xEA, 1]))
        #expect(fault(open) { $0.remoteAS = .sameAsOurs }?.subcode == 2)
        #expect(fault(open) { $0.remoteAS = .anyOther } == nil)
        #expect(
            fault(open) {
                $0.remoteAS = .anyOther
                $0.localAS = 4_200_000_001
            }?.subcode == 2)
    }

    @Test("AS 0 and AS 23456 are no AS of a peer", arguments: [0, 23456])
    func reservedNumbers(number: UInt32) {
        let open = OpenMessage.fixture([.fourOctetAS(number)])
        #expect(fault(open) { $0.remoteAS = .anyOther }?.subcode == 2)
        var old = OpenMessage.fixture([])
        old.myAS = UInt16(number)
        #expect(
            fault(old) { $0.remoteAS = .anyOther }
                == NotificationMessage(
                    code: 2, subcode: 2, data: [UInt8(number >> 8), UInt8(number & 0xFF)]))
    }

    @Test("An old peer without four octets gets a session with two")
    func twoOctets() throws {
        let agreed = try agree(.fixture([]))
        #expect(!agreed.hasFourOctetAS)
        #expect(agreed.remoteAS == 64513)
        #expect(agreed.families == [.ipv4])
        #expect(!agreed.hasRouteRefresh)
    }

    @Test("The Identifier is not zero, and inside an AS not ours")
    func identifiers() {
        #expect(fault(.fixture(routerID: 0))?.subcode == 3)
        #expect(fault(.fixture(routerID: 0xC000_0201)) == nil)
        let inside = OpenMessage.fixture(routerID: 0xC000_0201, [.fourOctetAS(64512)])
        #expect(fault(inside) { $0.remoteAS = .sameAsOurs }?.subcode == 3)
    }

    @Test("Families are those of both; with none in common there is no session")
    func families() throws {
        let both = OpenMessage.fixture([
            .multiprotocol(.ipv4), .multiprotocol(.ipv6), .fourOctetAS(64513),
        ])
        #expect(try agree(both).families == [.ipv4])
        #expect(try agree(both) { $0.families = [.ipv4, .ipv6] }.families == [.ipv4, .ipv6])
        #expect(try agree(both) { $0.families = [.ipv6] }.families == [.ipv6])
        let refusal = fault(.fixture()) { $0.families = [.ipv6] }
        #expect(
            refusal == NotificationMessage(code: 2, subcode: 7, data: [1, 4, 0, 2, 0, 1]))
        #expect(
            try agree(both) {
                $0.offersMultiprotocol = false
                $0.families = [.ipv4]
            }.families == [.ipv4])
    }

    @Test("A feature is agreed on only when both offer it")
    func features() throws {
        let rich: [Capability] = [
            .multiprotocol(.ipv4), .multiprotocol(.ipv6), .routeRefresh, .enhancedRouteRefresh,
            .extendedMessage, .fourOctetAS(64513),
            .extendedNextHop([.init(family: .ipv4, nextHopAFI: 2)]),
            .unknown(code: 73, value: [1, 2, 3]),
        ]
        let agreed = try agree(.fixture(rich)) { $0.offersExtendedNextHop = true }
        #expect(agreed.hasRouteRefresh)
        #expect(agreed.hasEnhancedRouteRefresh)
        #expect(agreed.maximumLength == 65535)
        #expect(agreed.extendedNextHop == [.ipv4])
        #expect(agreed.offered == rich)
        #expect(try agree(.fixture(rich)).extendedNextHop.isEmpty)
        #expect(agreed.gracefulRestart == nil)
        let plain = try agree(.fixture()) { $0.offersExtendedNextHop = true }
        #expect(plain.extendedNextHop.isEmpty)
        #expect(plain.maximumLength == 4096)
        #expect(!plain.hasEnhancedRouteRefresh)
    }

    @Test("Graceful restart needs both, and NOTIFICATIONs keep routes only with both N bits")
    func gracefulRestart() throws {
        func wish(_ settings: inout PeerSettings) {
            settings.gracefulRestart = .init(time: 120, isRestarting: false)
        }
        let with = try agree(.restartable(keepsOnNotification: true), wish)
        #expect(with.gracefulRestart?.restartTime == 120)
        #expect(with.keepsOnNotification)
        let without = try agree(.restartable(keepsOnNotification: false), wish)
        #expect(without.gracefulRestart != nil)
        #expect(!without.keepsOnNotification)
        #expect(try agree(.restartable(keepsOnNotification: true)).gracefulRestart == nil)
        #expect(try agree(.fixture(), wish).gracefulRestart == nil)
    }

    @Test(
        "Roles go together as RFC 9234 has it, and only outside the AS",
        arguments: PeerRole.allCases)
    func roles(own: PeerRole) throws {
        let fitting: [PeerRole: PeerRole] = [
            .provider: .customer, .customer: .provider, .routeServer: .routeServerClient,
            .routeServerClient: .routeServer, .peer: .peer,
        ]
        for remote in PeerRole.allCases {
            let open = OpenMessage.fixture([.fourOctetAS(64513), .role(remote)])
            let refusal = fault(open) { $0.role = own }
            #expect((refusal == nil) == (fitting[own] == remote), "\(own) and \(remote)")
            if let refusal { #expect(refusal == NotificationMessage(code: 2, subcode: 11)) }
            var inside = open
            inside.capabilities[0] = .fourOctetAS(64512)
            #expect(
                fault(inside) {
                    $0.role = own
                    $0.remoteAS = .sameAsOurs
                } == nil)
            #expect(fault(open) == nil)
        }
        #expect(try agree(.fixture()) { $0.role = own }.remoteRole == nil)
    }

    @Test("Two different roles of one peer are refused")
    func twoRoles() {
        let open = OpenMessage.fixture([
            .fourOctetAS(64513), .role(.customer), .role(.peer),
        ])
        #expect(fault(open) { $0.role = .provider }?.subcode == 11)
    }

    @Test("Our OPEN offers what is configured, and AS 23456 for a number of four octets")
    func offer() {
        let settings = PeerSettings.fixture {
            $0.localAS = 4_200_000_000
            $0.families = [.ipv6, .ipv4]
            $0.offersExtendedNextHop = true
            $0.role = .customer
            $0.gracefulRestart = .init(time: 300, isRestarting: true)
        }
        let open = OpenMessage(
            offering: settings,
            on: .init(isRestarting: true, isForwardingPreserved: true, hasCapabilities: true))
        #expect(open.myAS == 23456)
        #expect(open.holdTime == 90)
        #expect(
            open.capabilities == [
                .multiprotocol(.ipv4), .multiprotocol(.ipv6), .routeRefresh,
                .extendedNextHop([.init(family: .ipv4, nextHopAFI: 2)]), .extendedMessage,
                .role(.customer),
                .gracefulRestart(
                    .init(
                        isRestarting: true, keepsOnNotification: true, restartTime: 300,
                        families: [
                            .init(.ipv4, isForwardingPreserved: true),
                            .init(.ipv6, isForwardingPreserved: true),
                        ])),
                .fourOctetAS(4_200_000_000), .enhancedRouteRefresh,
            ])
    }
}
