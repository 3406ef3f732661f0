import Foundation

/// A BGP speaker that does what it is told and nothing else, byte by byte: one TCP connection from
/// a host of the LAN.
final class RawPeer {
    enum Trouble: Error, CustomStringConvertible {
        case system(String, Int32)
        case silence(String)
        case unexpected(Message?)

        var description: String {
            switch self {
            case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
            case .silence(let what): "\(what) did not come"
            case .unexpected(let message): "came: \(message.map { "\($0)" } ?? "the end")"
            }
        }
    }

    /// A message as it came, from its marker to its end.
    struct Message: Hashable, CustomStringConvertible {
        let bytes: [UInt8]
        var type: UInt8 { bytes[18] }
        var body: [UInt8] { Array(bytes.dropFirst(19)) }
        var isNotification: Bool { type == 3 }
        var description: String { "type \(type), \(body.hex)" }

        /// An UPDATE that says no more than that the table of a family is complete (RFC 4724 §2).
        var isEndOfTable: Bool {
            let value: [UInt8] = [3, 0, 2, 1]
            return type == 2
                && (body == [0, 0, 0, 0] || body.count <= 11 && Array(body.suffix(4)) == value)
        }
    }

    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []
    private var hasEnded = false
    /// What came so far, for failures.
    private var history: [String] = []

    /// Connects.
    ///
    /// - Parameter window: the size of the receive buffer, for one that soon takes no more.
    init(
        _ lan: NamespacedLAN, on host: String, from local: String, to remote: String,
        port: Int = 179, window: Int32? = nil
    ) throws {
        let isIPv6 = remote.contains(":")
        descriptor = try Self.socket(
            in: "/run/netns/\(lan.namespace(host))", family: isIPv6 ? AF_INET6 : AF_INET)
        if var window {
            setsockopt(
                descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        var noDelay: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay,
            socklen_t(MemoryLayout<Int32>.size))
        try Self.withAddress(local, 0) { address, length in
            guard bind(descriptor, address, length) == 0 else {
                throw Trouble.system("bind to \(local)", errno)
            }
        }
        try Self.withAddress(remote, port) { address, length in
            guard connect(descriptor, address, length) == 0 else {
                throw Trouble.system("connect to \(remote)", errno)
            }
        }
    }

    deinit { close() }

    /// A socket belongs to the namespace that its thread was in when it was made.
    private static func socket(in place: String, family: Int32) throws -> Int32 {
        typealias Enter = @convention(c) (Int32, Int32) -> Int32
        // The Glibc module hides GNU extensions.
        guard let symbol = dlsym(nil, "setns") else { throw Trouble.system("setns", ENOSYS) }
        let enter = unsafeBitCast(symbol, to: Enter.self)
        let own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        let other = open(place, O_RDONLY | O_CLOEXEC)
        defer {
            Foundation.close(own)
            Foundation.close(other)
        }
        guard own >= 0, other >= 0, enter(other, 0) == 0 else {
            throw Trouble.system("setns \(place)", errno)
        }
        let made = Foundation.socket(family, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        let code = errno
        let isBack = enter(own, 0) == 0
        precondition(isBack, "the test's thread is lost in another namespace")
        guard made >= 0 else { throw Trouble.system("socket", code) }
        return made
    }

    private static func withAddress(
        _ text: String, _ port: Int,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(text, "\(port)", &hints, &found) == 0, let found,
            let address = found.pointee.ai_addr
        else { throw Trouble.system("address \(text)", EINVAL) }
        defer { freeaddrinfo(found) }
        try body(address, found.pointee.ai_addrlen)
    }

    // MARK: Sending

    /// Sends bytes; false when the other end takes no more, or is gone.
    @discardableResult
    func send(_ bytes: [UInt8], within seconds: Double = 5) -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard wait(for: POLLOUT, seconds) else { return false }
            let count = bytes.withUnsafeBytes {
                Foundation.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    // MARK: Receiving

    private func wait(for event: Int32, _ seconds: Double) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        return poll(&entry, 1, Int32((max(0, seconds) * 1000).rounded(.up))) > 0
    }

    /// Reads what there is, at most `limit` bytes; false when nothing came in time or nothing will.
    private func fill(_ limit: Int = 65_536, within seconds: Double) -> Bool {
        guard !hasEnded, wait(for: POLLIN, seconds) else { return false }
        var chunk = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &chunk, limit, 0)
        guard count > 0 else {
            hasEnded = true
            return false
        }
        buffer += chunk.prefix(count)
        return true
    }

    /// Reads so many bytes and no more.
    func read(_ count: Int, within seconds: Double = 8) throws -> [UInt8] {
        while buffer.count < count {
            guard fill(count - buffer.count, within: seconds) else {
                throw Trouble.silence("byte \(buffer.count)")
            }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// The next message; `nil` when the other end has closed or reset the connection.
    func next(within seconds: Double = 8) throws -> Message? {
        func length() -> Int? {
            buffer.count < 19 ? nil : Int(buffer[16]) << 8 | Int(buffer[17])
        }
        while buffer.count < length() ?? 19 {
            guard fill(within: seconds) else {
                if hasEnded { return nil }
                throw Trouble.silence("a message, after \(history.suffix(6)),")
            }
        }
        let count = max(19, length() ?? 19)
        defer { buffer.removeFirst(count) }
        let message = Message(bytes: Array(buffer.prefix(count)))
        history.append("\(message)")
        return message
    }

    /// The next message that a condition holds for, or a NOTIFICATION, whichever comes first.
    func next(within seconds: Double = 8, where isWanted: (Message) -> Bool) throws -> Message? {
        let end = Date(timeIntervalSinceNow: seconds)
        while let message = try next(within: end.timeIntervalSinceNow) {
            let isFound = message.isNotification || isWanted(message)
            if isFound { return message }
        }
        return nil
    }

    /// What the other end says before it closes the connection: a NOTIFICATION, or nothing.
    func farewell(within seconds: Double = 8) throws -> Message? {
        let last = try next(within: seconds) { _ in false }
        guard last == nil || wait(for: POLLIN, seconds) else {
            throw Trouble.silence("the end of the connection")
        }
        return last
    }

    // MARK: Conversation

    /// Sends an OPEN and a KEEPALIVE, and waits for the other end's.
    @discardableResult
    func establish(_ open: RawOpen = RawOpen()) throws -> Self {
        send(open.message)
        try expect(1)
        send(Self.keepalive)
        try expect(4)
        return self
    }

    /// Expects the next message to be of a type.
    @discardableResult
    func expect(_ type: UInt8) throws -> Message {
        let message = try next()
        guard let message, message.type == type else { throw Trouble.unexpected(message) }
        return message
    }

    /// Reads the initial table to its end, of as many families as there are.
    func table(families count: Int = 2) throws -> [Message] {
        var messages: [Message] = []
        var ends = 0
        while ends < count {
            guard let message = try next(where: { $0.type == 2 }), message.type == 2 else {
                throw Trouble.unexpected(messages.last)
            }
            messages.append(message)
            if message.isEndOfTable { ends += 1 }
        }
        return messages
    }

    /// Asks for the IPv4 routes again and waits for them: everything sent before has been dealt
    /// with then. Returns the NOTIFICATION that came instead, `nil` when the session goes on.
    func settle(within seconds: Double = 8) throws -> Message? {
        send(Self.message(5, [0, 1, 0, 1]))
        let answer = try next(within: seconds) { $0.type == 2 && !$0.isEndOfTable }
        guard let answer else { throw Trouble.unexpected(nil) }
        return answer.isNotification ? answer : nil
    }

    /// Closes the connection in order.
    func close() {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    /// Resets the connection.
    func reset() {
        var abort = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

/// What messages are made of.
extension RawPeer {
    static let marker = [UInt8](repeating: 0xff, count: 16)
    static let keepalive = message(4, [])

    /// A message with the length that it has, or another.
    static func message(_ type: UInt8, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        marker + octets(length ?? 19 + body.count, 2) + [type] + body
    }

    /// A number of so many octets, the highest first.
    static func octets(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// An UPDATE that announces IPv4 prefixes, each as on the wire, as an external peer does.
    static func announcement(_ prefixes: [[UInt8]], asn: Int = 64496) -> [UInt8] {
        let attributes: [UInt8] =
            [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1] + octets(asn, 4) + [0x40, 3, 4, 192, 0, 2, 50]
        return message(2, [0, 0] + octets(attributes.count, 2) + attributes + prefixes.joined())
    }

    /// An UPDATE that withdraws IPv4 prefixes.
    static func withdrawal(_ prefixes: [[UInt8]]) -> [UInt8] {
        let withdrawn = Array(prefixes.joined())
        return message(2, octets(withdrawn.count, 2) + withdrawn + [0, 0])
    }
}

/// An OPEN, right unless told otherwise.
struct RawOpen {
    var version: UInt8 = 4
    var asn = 64496
    /// The field of two octets; none: the AS.
    var shortAS: Int?
    var holdTime = 90
    var identifier: [UInt8] = [192, 0, 2, 50]
    /// Whether AS numbers have four octets (RFC 6793).
    var hasFourOctetAS = true
    /// Codes, lengths and values beside IPv4, IPv6 and route refresh.
    var capabilities: [UInt8] = []
    /// All optional parameters as they are; none: one with the capabilities.
    var parameters: [UInt8]?
    /// The length of the optional parameters, where it is not theirs.
    var parametersLength: UInt8?

    var message: [UInt8] {
        let four: [UInt8] = hasFourOctetAS ? [65, 4] + RawPeer.octets(asn, 4) : []
        let offer: [UInt8] = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 2, 0] + four + capabilities
        let parameters: [UInt8] = parameters ?? [2, UInt8(offer.count)] + offer
        var body: [UInt8] = [version]
        body += RawPeer.octets(shortAS ?? asn, 2)
        body += RawPeer.octets(holdTime, 2)
        body += identifier
        body.append(parametersLength ?? UInt8(parameters.count))
        return RawPeer.message(1, body + parameters)
    }
}
