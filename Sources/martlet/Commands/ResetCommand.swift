import ArgumentParser

/// `martlet reset`: the session with a router begins anew.
struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "End the BGP session of this node with a router, and begin another.",
        discussion: """
            The router is told Cease/Administrative Reset and forgets the routes until the new \
            session is up, about a second later. Only the session of the daemon asked is reset.
            """)

    @Argument(help: "The name of the BGPPeer.") var peer: String
    @OptionGroup var server: AdminOption

    func run() async throws {
        try await server.ask("/reset", HandOverRequest(peer: peer))
    }
}
