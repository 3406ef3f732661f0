import AdminServer
import ArgumentParser
import FoundationEssentials
import NetworkTypes

/// What `drain`, `undrain`, `move` and `reset` ask of a daemon, as JSON.
struct HandOverRequest: Codable, Sendable {
    /// The node that it concerns; absent: the daemon's own.
    var node: String?
    /// The address to move.
    var address: String?
    /// The router whose session is to begin anew.
    var peer: String?
}

/// What the daemon says to it.
struct HandOverAnswer: Codable, Sendable {
    /// Whether it is so now.
    var done: Bool
    /// What was done, or why it was not.
    var message: String
}

/// `martlet drain`: a node hands over what it announces.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Hand over every address of a node, and give it none until undrain.",
        discussion: """
            Returns when the addresses have new owners. The node goes on forwarding what still \
            reaches it. An address that no other node can take stays where it is. The drain \
            outlives a restart of the speaker.
            """)

    @Argument(help: "The node (default: that of the daemon asked).") var node: String?
    @OptionGroup var server: AdminOption

    func run() async throws {
        try await server.ask("/drain", HandOverRequest(node: node))
    }
}

/// `martlet undrain`: a node takes part again.
struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain",
        abstract: "Let a node take part again; addresses come back only as preemption says.")

    @Argument(help: "The node (default: that of the daemon asked).") var node: String?
    @OptionGroup var server: AdminOption

    func run() async throws {
        try await server.ask("/undrain", HandOverRequest(node: node))
    }
}

/// `martlet move`: an address goes to a node of the operator's choice.
struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Move an address to another node.",
        discussion: """
            The node must be able to own the address; if not, the refusal says why. It stays there \
            until there is a cause to move it. Under preemption Always only a preferred node may \
            have it.
            """)

    @Argument(help: "The address.") var address: String
    @Option(name: .customLong("to"), help: "The node to have it.") var node: String
    @OptionGroup var server: AdminOption

    func validate() throws {
        guard IPAddress(address) != nil else {
            throw ValidationError("\"\(address)\" is no IP address")
        }
    }

    func run() async throws {
        try await server.ask("/move", HandOverRequest(node: node, address: address))
    }
}

extension AdminOption {
    /// Asks the daemon to do something; a refusal is said and ends the program with 1.
    func ask(_ path: String, _ request: HandOverRequest) async throws {
        guard let place = AdminAddress(self.place) else { throw ExitCode.validationFailure }
        let answer: HandOverAnswer
        do {
            let body = Array(try JSONEncoder().encode(request))
            let bytes = try await AdminClient(place).post(path, body)
            answer = try JSONDecoder().decode(HandOverAnswer.self, from: Data(bytes))
        } catch let failure as AdminClient.Failure {
            complain("martlet: \(failure)")
            throw ExitCode.failure
        }
        guard answer.done else {
            complain("martlet: \(answer.message)")
            throw ExitCode.failure
        }
        emit(answer.message + "\n")
    }
}
