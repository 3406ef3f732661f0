import ArgumentParser
import NetworkTypes
import Speaker

/// How a speaker finds out who lives.
struct GossipOptions: ParsableArguments {
    @Option(
        name: .customLong("gossip"),
        help: ArgumentHelp(
            "Where speakers talk to each other about who lives and who has what: a UDP port, "
                + "ADDR:PORT, or off.",
            discussion:
                "All nodes use one port. Off means that an owner's death is noticed only when its "
                + "Node is no longer ready.",
            valueName: "place"))
    var place = "\(MembershipSpeaker.defaultPort)"

    @Option(
        name: .customLong("gossip-keys"),
        help: ArgumentHelp(
            "File of the keys that seal the gossip, the same on every node (default: gossip.keys "
                + "in the --state folder, made if missing), or none.",
            valueName: "file"))
    var keys: String?

    @Option(
        name: .customLong("join"),
        help: ArgumentHelp(
            "Another speaker, ADDR or ADDR:PORT, beside those that Node objects name. May be given "
                + "several times.",
            valueName: "addr"))
    var join: [String] = []

    func validate() throws {
        guard place == "off" || Self.read(place) != nil else {
            throw ValidationError(
                "--gossip \(place): write a port (\(MembershipSpeaker.defaultPort)), ADDR:PORT, "
                    + "[V6]:PORT or off")
        }
        for text in join where SocketAddress(text, defaultPort: port) == nil {
            throw ValidationError("--join \(text): write ADDR, ADDR:PORT or [V6]:PORT")
        }
    }

    /// The gossip's settings; `nil` when it is off, or there is nowhere to take keys from.
    ///
    /// - Parameter makesKeys: whether a file of keys in the state folder that is missing is made.
    func settings(
        node: String, state: String?, makesKeys: Bool = true
    ) -> MembershipSpeaker.Settings? {
        guard place != "off", let listen = Self.read(place),
            let keys = keySource(state, makesKeys)
        else {
            return nil
        }
        return MembershipSpeaker.Settings(
            node: node, address: listen.address, port: listen.port,
            join: join.compactMap { SocketAddress($0, defaultPort: listen.port) }, keys: keys)
    }

    /// Whether the gossip is wanted and cannot be had for want of keys.
    func lacksKeys(state: String?) -> Bool { place != "off" && keySource(state) == nil }

    /// Whether the gossip is wanted, with the keys that the state folder holds.
    var takesKeysFromState: Bool { place != "off" && keys == nil }

    private func keySource(
        _ state: String?, _ makesKeys: Bool = true
    ) -> MembershipSpeaker.KeySource? {
        switch (keys, state) {
        case ("none", _): MembershipSpeaker.KeySource.none
        case (let file?, _): .file(path: file, isMadeIfMissing: false)
        case (nil, let state?): .file(path: "\(state)/gossip.keys", isMadeIfMissing: makesKeys)
        case (nil, nil): nil
        }
    }

    private var port: UInt16 { Self.read(place)?.port ?? MembershipSpeaker.defaultPort }

    private static func read(_ place: String) -> (address: IPAddress?, port: UInt16)? {
        if let port = UInt16(place), port != 0 { return (nil, port) }
        return SocketAddress(place, defaultPort: MembershipSpeaker.defaultPort).map {
            ($0.address, $0.port)
        }
    }
}
