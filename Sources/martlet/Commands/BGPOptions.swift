import ArgumentParser
import NetworkTypes
import Speaker

/// How the speaker talks to routers.
struct BGPOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Accept BGP connections here: PORT or ADDR:PORT; off: never.",
            discussion:
                "Without it, port 179 is opened as soon as a BGPPeer is passive, and not before: "
                + "another BGP speaker of this host may want it.",
            valueName: "place"))
    var bgpListen: String?

    @Option(
        help: ArgumentHelp(
            "Seconds between marking routes as about to go (GRACEFUL_SHUTDOWN) and withdrawing "
                + "them, at a drain and at the end.",
            valueName: "seconds"))
    var bgpDrainTime = 3.0

    @Option(
        help: ArgumentHelp(
            "What routers do with the routes when the speaker ends: withdraw them, or keep them "
                + "for the next process (peers with graceful restart; the data plane stays, "
                + "too).",
            valueName: "what"))
    var bgpStop: BGPStopChoice = .withdraw

    func validate() throws {
        guard bgpDrainTime.isFinite, (0...6).contains(bgpDrainTime) else {
            throw ValidationError("--bgp-drain-time \(bgpDrainTime): write 0 to 6 seconds")
        }
        if let bgpListen, Self.listening(bgpListen) == nil {
            throw ValidationError("--bgp-listen \(bgpListen): write PORT, ADDR:PORT or off")
        }
    }

    /// What the speaker is told.
    var settings: NodeSpeaker.PeeringSettings {
        NodeSpeaker.PeeringSettings(
            listening: bgpListen.flatMap(Self.listening) ?? BGPSpeaker.Listening(),
            drainTime: .milliseconds(Int64(bgpDrainTime * 1000)),
            keepsRoutes: bgpStop == .keep)
    }

    private static func listening(_ text: String) -> BGPSpeaker.Listening? {
        if text == "off" { return BGPSpeaker.Listening(port: 0) }
        if let port = UInt16(text), port != 0 {
            return BGPSpeaker.Listening(port: port, isAlways: true)
        }
        guard let place = SocketAddress(text, defaultPort: 179) else { return nil }
        return BGPSpeaker.Listening(
            port: place.port, addresses: [place.address], isAlways: true)
    }
}

enum BGPStopChoice: String, ExpressibleByArgument, CaseIterable {
    case withdraw
    case keep
}
