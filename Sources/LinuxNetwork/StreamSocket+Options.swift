import CLinux
import Glibc
import NetworkTypes

extension StreamSocket {
    /// Sets, changes or removes the key of TCP MD5 signatures.
    ///
    /// On an established connection it holds from the next segment on, in both directions, and the
    /// connection lives on (Linux allows it in every state). Segments that carry the other key are
    /// dropped and repeated, so when the peer changes its key within the hold time nothing is lost.
    package func setKey(_ key: StreamKey?) throws(SystemError) {
        let peer = remote.socketAddress.address
        try Self.setKey(
            key, of: descriptor, network: peer, length: peer.family.bitWidth,
            subject: "TCP with \(remote)")
    }

    /// Sets how far the peer may be, from the next segment on. For a connection that came in,
    /// returns false when its first segment came from farther away: it is to be aborted, because
    /// bytes that came before this call were not held to it.
    package func setReach(_ reach: StreamReach) throws(SystemError) -> Bool {
        let status = martlet_stream_hops(
            descriptor, Int32(remote.address.family.rawValue), Int32(reach.sent),
            Int32(reach.least))
        guard status == 0 else {
            throw SystemError(
                "setsockopt(IP_MINTTL)", errno: -status, subject: "TCP with \(remote)")
        }
        guard isIncoming, reach.least > 0 else { return true }
        // 0 is unknown: the SYN was answered with a cookie, and the handshake's last segment was
        // the first one that a connection existed for.
        let first = martlet_stream_syn_hops(descriptor)
        return first <= 0 || first >= Int32(reach.least)
    }

    static func open(
        _ family: IPAddress.Family, subject: String
    ) throws(SystemError) -> Int32 {
        let opened = martlet_stream_open(Int32(family.rawValue))
        guard opened >= 0 else {
            throw SystemError("socket(SOCK_STREAM)", errno: -opened, subject: subject)
        }
        return opened
    }

    /// Everything between opening and connecting.
    static func prepare(
        _ descriptor: Int32, for remote: SocketAddress, _ options: StreamOptions, subject: String
    ) throws(SystemError) {
        let family = remote.address.family
        try check("setsockopt", martlet_stream_tune(descriptor, unsentLimit, attempts), subject)
        try check(
            "setsockopt(IP_TTL)",
            martlet_stream_hops(
                descriptor, Int32(family.rawValue), Int32(options.reach.sent),
                Int32(options.reach.least)), subject)
        if let interface = options.interface { try bind(descriptor, to: interface) }
        if let source = options.source {
            guard source.family == family else {
                throw SystemError(
                    "bind", errno: EAFNOSUPPORT, subject: subject,
                    remedy: "source address \(source) is of the other family")
            }
            var end = try martlet_stream_end(
                SocketAddress(source, port: 0), interface: options.interface)
            let status = unsafe martlet_stream_source(descriptor, &end)
            guard status == 0 else {
                throw SystemError(
                    "bind(\(source))", errno: -status, subject: subject,
                    remedy: status == -EADDRNOTAVAIL
                        ? "no interface of this node has the source address \(source)" : nil)
            }
        }
        if let key = options.key {
            try setKey(
                key, of: descriptor, network: remote.address, length: family.bitWidth,
                subject: subject)
        }
    }

    static func bind(_ descriptor: Int32, to interface: String) throws(SystemError) {
        let status = unsafe martlet_stream_device(descriptor, interface)
        try check("setsockopt(SO_BINDTODEVICE)", status, "interface \(interface)")
    }

    static func setKey(
        _ key: StreamKey?, of descriptor: Int32, network: IPAddress, length: Int, subject: String
    ) throws(SystemError) {
        var end = martlet_stream_end(network: network)
        let status = unsafe (key?.bytes ?? []).withUnsafeBufferPointer { bytes in
            unsafe martlet_stream_key(
                descriptor, &end, Int32(length), bytes.baseAddress, UInt32(bytes.count))
        }
        // Removing what is not there is done already.
        if key == nil, status == -ENOENT || status == -ENOPROTOOPT { return }
        let remedy: String? =
            switch -status {
            case ENOPROTOOPT: "this kernel has no TCP MD5 signatures (CONFIG_TCP_MD5SIG)"
            case ENOMEM, ENOBUFS: "raise net.core.optmem_max: every key of a listener counts"
            default: nil
            }
        guard status == 0 else {
            throw SystemError(
                "setsockopt(TCP_MD5SIG)", errno: -status, subject: subject, remedy: remedy)
        }
    }

    static func connectError(_ code: Int32, subject: String) -> SystemError {
        let remedy: String? =
            switch code {
            case ECONNREFUSED: "nobody listens there, or the peer does not expect this address"
            case ETIMEDOUT:
                "no answer: is the peer up and reachable, and do passwords, TTL security and "
                    + "filters at both ends agree?"
            case ENETUNREACH, EHOSTUNREACH:
                "no route, no ARP or NDP answer, or more hops than allowed (ebgpMultiHop)"
            case EADDRNOTAVAIL: "no source address or port is free towards the peer"
            case ECONNRESET: "the peer ended the connection before it was up"
            default: nil
            }
        return SystemError("connect", errno: code, subject: subject, remedy: remedy)
    }

    private static func check(
        _ call: String, _ status: Int32, _ subject: String
    ) throws(SystemError) {
        if status != 0 { throw SystemError(call, errno: -status, subject: subject) }
    }
}
