import BFD
import Kubernetes

extension BFDWish {
    /// What a profile says; `nil` when its password cannot be used, which the configuration does
    /// not let pass: rather no session than one that believes everybody.
    ///
    /// - Parameter isMultihop: whether routers may lie between, which is what a least hop limit is
    ///   for.
    package init?(_ profile: BFDProfile, isMultihop: Bool) {
        isPassive = profile.passiveMode
        transmitInterval = .milliseconds(profile.transmitIntervalMilliseconds)
        receiveInterval = .milliseconds(profile.receiveIntervalMilliseconds)
        detectMultiplier = UInt8(clamping: profile.detectMultiplier)
        if profile.echoMode, !isMultihop {
            echoInterval = .milliseconds(profile.echoIntervalMilliseconds)
        }
        if isMultihop { minimumHops = profile.minimumTTL.map { UInt8(clamping: $0) } }
        guard let wanted = profile.authentication else { return }
        guard let usable = BFDAuthentication(wanted) else { return nil }
        authentication = usable
    }
}

extension BFDAuthentication {
    /// `nil` for a password that is empty or too long.
    fileprivate init?(_ authentication: BFDProfile.Authentication) {
        let method: Method =
            switch authentication.kind {
            case .simple: .simplePassword
            case .keyedMD5: .keyedMD5
            case .meticulousKeyedMD5: .meticulousKeyedMD5
            case .keyedSHA1: .keyedSHA1
            case .meticulousKeyedSHA1: .meticulousKeyedSHA1
            }
        self.init(
            method: method,
            key: Key(id: authentication.keyID, secret: authentication.passwordBytes))
    }
}
