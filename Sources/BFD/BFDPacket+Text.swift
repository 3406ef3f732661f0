extension BFDPacket: CustomStringConvertible {
    /// One line with everything the packet says, except a password.
    public var description: String {
        var parts = [state.description]
        if diagnostic != .none { parts.append(diagnostic.description) }
        if isPoll { parts.append("poll") }
        if isFinal { parts.append("final") }
        if isControlPlaneIndependent { parts.append("control plane independent") }
        if isDemand { parts.append("demand") }
        let (mine, yours) = (Self.hexadecimal(myDiscriminator), Self.hexadecimal(yourDiscriminator))
        parts.append("discriminators \(mine) to \(yours)")
        parts.append("transmit \(Self.interval(desiredMinTransmit)) × \(detectMultiplier)")
        parts.append("receive \(Self.interval(requiredMinReceive))")
        if requiredMinEchoReceive != 0 {
            parts.append("echo \(Self.interval(requiredMinEchoReceive))")
        }
        if let authentication { parts.append(authentication.description) }
        return "BFD " + parts.joined(separator: ", ")
    }

    /// Microseconds in the unit people configure: `50 ms`, `1.5 ms`, `10 µs`.
    static func interval(_ microseconds: UInt32) -> String {
        guard microseconds >= 1000 else { return "\(microseconds) µs" }
        let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest != 0 else { return "\(whole) ms" }
        var digits = String(rest)
        digits = String(repeating: "0", count: 3 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(whole).\(digits) ms"
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        "0x" + String(value, radix: 16)
    }
}

extension BFDAuthenticationSection: CustomStringConvertible {
    /// Type, key number and sequence number; never the password or the digest.
    public var description: String {
        guard let method = BFDAuthentication.Method(rawValue: type) else {
            return "authentication type \(type)"
        }
        var text = method.description
        if let keyID { text += " key \(keyID)" }
        if let sequence { text += " sequence \(sequence)" }
        return text
    }
}
