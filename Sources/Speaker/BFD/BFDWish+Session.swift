import BFD
import Crypto
import LinuxNetwork
import NetworkTypes

extension BFDWish {
    /// FRR's default, and with it that of the profiles: at most one router between.
    static let defaultMinimumHops: UInt8 = 254

    /// What the session of a path is to do.
    ///
    /// - Parameter forwards: whether this host sends the peer's echo packets back.
    func settings(for path: BFDPath, forwards: Bool) -> BFDSession.Settings {
        var settings = BFDSession.Settings()
        settings.role = isPassive ? .passive : .active
        settings.desiredMinTransmit = Self.microseconds(transmitInterval)
        settings.requiredMinReceive = Self.microseconds(receiveInterval)
        settings.detectMultiplier = max(1, detectMultiplier)
        settings.isMultihop = path.isMultihop
        settings.minimumTimeToLive =
            path.isMultihop ? minimumHops ?? Self.defaultMinimumHops : .max
        settings.authentication = authentication
        if let echoInterval, path.canEcho {
            let interval = Self.microseconds(echoInterval)
            settings.echo = BFDSession.Settings.Echo(
                transmitInterval: interval, requiredMinReceive: forwards ? interval : 0)
        }
        return settings
    }

    private static func microseconds(_ duration: Duration) -> UInt32 {
        UInt32(clamping: max(0, duration.wholeNanoseconds) / 1_000)
    }
}

extension BFDPath {
    /// Whether a neighbour can send echo packets back: no router forwards what is link-local
    /// (RFC 4291 §2.5.6), and echo is for a single hop (RFC 5883 §3).
    var canEcho: Bool { !isMultihop && !remote.isLinkLocal && local?.isLinkLocal != true }
}

extension BFDHash {
    /// The digest of RFC 5880 §6.7.3 and §6.7.4. Both functions are broken for signatures; the RFC
    /// knows no other.
    static func digest(_ hash: BFDHash, _ bytes: [UInt8]) -> [UInt8] {
        switch hash {
        case .md5: Array(Insecure.MD5.hash(data: bytes))
        case .sha1: Array(Insecure.SHA1.hash(data: bytes))
        }
    }
}
