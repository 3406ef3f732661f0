import CLinux
import Glibc
import NetworkTypes

/// Asks the kernel which way a packet would take from this node, and whether the next station has
/// been found on its link; in the network namespace of the calling thread.
package enum RouteQuestion {
    /// What the kernel would do with a packet.
    package enum Way: Equatable, Sendable {
        /// Send it out: by which interface, and to which router, `nil` for the destination itself.
        case out(interface: String, router: IPAddress?)
        /// Take it in: the address is this node's own.
        case local
        /// Refuse it or throw it away, for this reason in words.
        case none(String)
    }

    /// What the kernel knows of a station on a link (`NUD_…`).
    package enum Neighbor: Equatable, Sendable {
        /// It answers, or did, at this link-layer address, where the link has any.
        case known(MACAddress?)
        /// It has been asked for and did not answer.
        case failed
        /// It has not been asked for yet, or the question is under way.
        case unknown
    }

    /// The way to an address.
    ///
    /// - Parameter source: the packet's source, where that matters to the routing rules; it has to
    ///   be an address of this node.
    package static func way(
        to destination: IPAddress, from source: IPAddress? = nil
    ) throws(SystemError) -> Way {
        var request = RouteRequest(UInt16(RTM_GETROUTE))
        let family = destination.family == .ipv4 ? AF_INET : AF_INET6
        let width = UInt8(destination.family.byteWidth * 8)
        // struct rtmsg: family, destination and source lengths, and what is left at 0.
        request.append(
            [UInt8(family), width, source == nil ? 0 : width] + [UInt8](repeating: 0, count: 9))
        request.add(UInt16(RTA_DST.rawValue), destination.bytes)
        if let source { request.add(UInt16(RTA_SRC.rawValue), source.bytes) }
        return switch try ask(request, subject: "the way to \(destination)") {
        case .refused(let code): .none(unsafe String(cString: strerror(code)))
        case .answer(let bytes): way(bytes.span)
        }
    }

    /// The address of this node that a packet to an address would bear as its source; `nil` when
    /// there is no way, or the kernel names none.
    package static func source(to destination: IPAddress) throws(SystemError) -> IPAddress? {
        var request = RouteRequest(UInt16(RTM_GETROUTE))
        let family = destination.family == .ipv4 ? AF_INET : AF_INET6
        request.append(
            [UInt8(family), UInt8(destination.family.byteWidth * 8)]
                + [UInt8](repeating: 0, count: 10))
        request.add(UInt16(RTA_DST.rawValue), destination.bytes)
        guard case .answer(let bytes) = try ask(request, subject: "the way to \(destination)"),
            bytes.count >= 12
        else { return nil }
        let body = bytes.span.extracting(droppingFirst: 12)
        var attributes = NetlinkReader(body)
        while let attribute = attributes.nextAttribute() {
            guard attribute.type == Int(RTA_PREFSRC.rawValue) else { continue }
            return body.address(attribute.value)
        }
        return nil
    }

    /// What is known of a station on the link of an interface.
    package static func neighbor(
        _ address: IPAddress, on interface: String
    ) throws(SystemError) -> Neighbor {
        let index = unsafe if_nametoindex(interface)
        var request = RouteRequest(UInt16(RTM_GETNEIGH))
        // struct ndmsg: family, padding, the interface, and what is left at 0.
        request.append([UInt8(address.family == .ipv4 ? AF_INET : AF_INET6), 0, 0, 0])
        request.append(index.hostBytes + [0, 0, 0, 0])
        request.add(UInt16(NDA_DST), address.bytes)
        switch try ask(request, subject: "\(address) on \(interface)") {
        case .refused: return .unknown
        case .answer(let bytes): return neighbor(bytes.span)
        }
    }

    // MARK: Answers

    private static func way(_ payload: Span<UInt8>) -> Way {
        guard payload.count >= 12 else { return .none("the kernel's answer is cut") }
        switch Int(payload[7]) {
        case Int(RTN_LOCAL): return .local
        case Int(RTN_BLACKHOLE): return .none("a route throws it away (blackhole)")
        case Int(RTN_UNREACHABLE): return .none("a route refuses it (unreachable)")
        case Int(RTN_PROHIBIT): return .none("a route refuses it (prohibit)")
        default: break
        }
        var interface = ""
        var router: IPAddress?
        let body = payload.extracting(droppingFirst: 12)
        var attributes = NetlinkReader(body)
        while let attribute = attributes.nextAttribute() {
            switch attribute.type {
            case Int(RTA_OIF.rawValue):
                let index = body.hostInteger(UInt32.self, at: attribute.value.lowerBound) ?? 0
                interface = name(of: index)
            case Int(RTA_GATEWAY.rawValue): router = body.address(attribute.value)
            case Int(RTA_VIA.rawValue):
                // A family in two bytes, then the address: IPv4 by way of an IPv6 router.
                let value = attribute.value.dropFirst(2)
                router = body.address(value.lowerBound..<value.upperBound)
            default: continue
            }
        }
        return .out(interface: interface, router: router)
    }

    private static func neighbor(_ payload: Span<UInt8>) -> Neighbor {
        guard payload.count >= 12, let state = payload.hostInteger(UInt16.self, at: 8) else {
            return .unknown
        }
        if state & UInt16(NUD_FAILED) != 0 { return .failed }
        if state & UInt16(NUD_INCOMPLETE) != 0 || state == UInt16(NUD_NONE) { return .unknown }
        var station: MACAddress?
        let body = payload.extracting(droppingFirst: 12)
        var attributes = NetlinkReader(body)
        while let attribute = attributes.nextAttribute() {
            guard attribute.type == Int(NDA_LLADDR) else { continue }
            station = MACAddress(bytes: body.array(attribute.value))
        }
        return .known(station)
    }

    private static func name(of index: UInt32) -> String {
        var buffer = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        let isKnown = unsafe buffer.withUnsafeMutableBufferPointer { space in
            unsafe if_indextoname(index, space.baseAddress) != nil
        }
        guard isKnown else { return "interface \(index)" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: Asking

    private enum Reply {
        case answer([UInt8])
        case refused(Int32)
    }

    private static func ask(
        _ request: RouteRequest, subject: String
    ) throws(SystemError) -> Reply {
        let descriptor = martlet_netlink_open(Int32(NETLINK_ROUTE), 0, 1 << 16)
        guard descriptor >= 0 else {
            throw SystemError("socket(NETLINK_ROUTE)", errno: -descriptor, subject: subject)
        }
        defer { close(descriptor) }
        let bytes = request.finished
        let status = unsafe bytes.withUnsafeBytes {
            unsafe martlet_netlink_send(descriptor, $0.baseAddress, UInt($0.count))
        }
        guard status == 0 else {
            throw SystemError("sendto(NETLINK_ROUTE)", errno: -status, subject: subject)
        }
        // The kernel answers inside the send call.
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe martlet_netlink_receive(descriptor, $0.baseAddress, UInt($0.count))
        }
        guard count >= 0 else {
            throw SystemError("recv(NETLINK_ROUTE)", errno: Int32(-count), subject: subject)
        }
        var reader = NetlinkReader(buffer.span.extracting(first: min(count, buffer.count)))
        guard let message = reader.nextMessage() else {
            throw SystemError("recv(NETLINK_ROUTE)", errno: EPROTO, subject: subject)
        }
        guard message.type == UInt16(NLMSG_ERROR) else {
            return .answer(message.payload.array(0..<message.payload.count))
        }
        let code = message.payload.hostInteger(UInt32.self, at: 0) ?? 0
        return .refused(Int32(bitPattern: 0 &- code))
    }
}

/// A request of rtnetlink with attributes, in the host's byte order.
private struct RouteRequest {
    private var bytes: [UInt8] = []

    init(_ type: UInt16) {
        bytes += UInt32(0).hostBytes + type.hostBytes + UInt16(NLM_F_REQUEST).hostBytes
        bytes += UInt32(1).hostBytes + UInt32(0).hostBytes
    }

    mutating func append(_ more: [UInt8]) { bytes += more }

    mutating func add(_ type: UInt16, _ value: [UInt8]) {
        bytes += UInt16(4 + value.count).hostBytes + type.hostBytes + value
        bytes += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }

    var finished: [UInt8] {
        var finished = bytes
        finished.replaceSubrange(0..<4, with: UInt32(bytes.count).hostBytes)
        return finished
    }
}
