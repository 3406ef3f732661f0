import NetworkTypes
import Testing

@testable import LinuxNetwork

@Suite struct RouterMessageTests {
    private static let neighbor = IPAddress(
        family: .ipv6, bits: 0xfe80_0000_0000_0000_0000_0000_0000_0001)
    private static let address = MACAddress(bits: 0x5254_0012_3456)

    private static func decode(
        _ bytes: [UInt8], from source: IPAddress = neighbor, hopLimit: UInt8 = 255
    ) -> Result<RouterMessage, RouterMessage.Fault> {
        do throws(RouterMessage.Fault) {
            return .success(
                try RouterMessage(decoding: bytes.span, from: source, hopLimit: hopLimit))
        } catch {
            return .failure(error)
        }
    }

    /// RFC 4861 §4.2 with options of §§4.6.1–4.6.4, as FRR and radvd send them: link-layer address,
    /// MTU, prefix information.
    private static let full: [UInt8] =
        [134, 0, 0x12, 0x34, 64, 0xc0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]
        + [1, 1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
        + [5, 1, 0, 0, 0, 0, 0x05, 0xdc]
        + [3, 4, 64, 0xc0, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40, 0, 0, 0, 0]
        + [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test("an advertisement tells lifetime and link-layer address, whatever else it carries")
    func advertisement() {
        #expect(
            Self.decode(Self.full)
                == .success(.advertisement(.init(lifetime: 1_800, linkAddress: Self.address))))
    }

    @Test("what we send prescribes nothing: lifetime 0, nothing else but the link-layer address")
    func encoded() {
        let ours = RouterMessage.advertisement(.init(linkAddress: Self.address))
        #expect(
            ours.encoded == [134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
                + [1, 1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56])
        #expect(ours.group == IPAddress("ff02::1"))
        let question = RouterMessage.solicitation(nil)
        #expect(question.encoded == [133, 0, 0, 0, 0, 0, 0, 0])
        #expect(question.group == IPAddress("ff02::2"))
        for message in [
            ours, question, .advertisement(.init(lifetime: 9)), .solicitation(Self.address),
        ] {
            #expect(Self.decode(message.encoded) == .success(message))
        }
    }

    @Test("what RFC 4861 tells to discard is discarded, with its reason")
    func discards() throws {
        let solicitation = RouterMessage.solicitation(Self.address).encoded
        let global = try #require(IPAddress("2001:db8::1"))
        let group = try #require(IPAddress("ff02::1"))
        func fault(
            _ bytes: [UInt8], from source: IPAddress = Self.neighbor, hopLimit: UInt8 = 255
        ) -> RouterMessage.Fault? {
            guard case .failure(let fault) = Self.decode(bytes, from: source, hopLimit: hopLimit)
            else { return nil }
            return fault
        }
        #expect(fault(Self.full, hopLimit: 254) == .hopLimit)
        #expect(fault(Self.full, from: global) == .source)
        #expect(fault(solicitation, from: global) == nil)
        #expect(fault(solicitation, from: group) == .source)
        #expect(fault(solicitation, from: .unspecifiedIPv6) == .option)
        #expect(fault(RouterMessage.solicitation(nil).encoded, from: .unspecifiedIPv6) == nil)
        #expect(fault([134, 1] + Self.full.dropFirst(2)) == .code)
        #expect(fault([135, 0] + Self.full.dropFirst(2)) == .type)
        #expect(fault(Array(Self.full.prefix(16)) + [1, 0, 0, 0, 0, 0, 0, 0]) == .option)
        #expect(fault(Array(Self.full.prefix(16)) + [1, 2, 0, 0, 0, 0, 0, 0]) == .option)
    }

    @Test("every truncation is refused unless it ends between options")
    func truncations() {
        for length in 0..<Self.full.count {
            let isWhole: Bool
            if case .success = Self.decode(Array(Self.full.prefix(length))) {
                isWhole = true
            } else {
                isWhole = false
            }
            #expect(isWhole == [16, 24, 32].contains(length), "\(length)")
        }
    }

    @Test("every change of one byte is read or refused, and only header and option form decide")
    func mutations() {
        for index in Self.full.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = Self.full
                bytes[index] = value
                guard case .failure(let fault) = Self.decode(bytes) else { continue }
                let expected: RouterMessage.Fault? =
                    switch index {
                    case 0: value == 133 ? .option : .type
                    case 1: .code
                    case 17, 25, 33: .option
                    default: nil
                    }
                #expect(fault == expected, "byte \(index) = \(value)")
            }
        }
    }
}
