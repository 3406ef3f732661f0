import ArgumentParser

/// `martlet run`: controller and speaker in one process.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Give addresses and announce them: controller and speaker in one process.",
        discussion: """
            Needs CAP_NET_RAW for ARP and NDP, and CAP_NET_ADMIN for --dataplane nftables. Of \
            several daemons on one --state folder one allocates, the others follow and take over.
            """)

    @OptionGroup var options: DaemonOptions
    @OptionGroup var speaker: SpeakerOptions

    func run() async throws {
        try await Daemon(options: options, roles: [.controller, .speaker], speaker: speaker).run()
    }
}

/// `martlet controller`: gives addresses only; opens no raw socket.
struct ControllerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "controller",
        abstract: "Give addresses only; needs no privileges of the host.")

    @OptionGroup var options: DaemonOptions

    func validate() throws {
        guard options.state != nil || options.cluster.manifests == nil else {
            throw ValidationError(
                "a controller alone must write to a --state folder, or no speaker would ever know")
        }
    }

    func run() async throws {
        try await Daemon(options: options, roles: [.controller], speaker: nil).run()
    }
}

/// `martlet speaker`: announces only.
struct SpeakerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speaker",
        abstract: "Announce only what a controller gives.")

    @OptionGroup var options: DaemonOptions
    @OptionGroup var speaker: SpeakerOptions

    func run() async throws {
        try await Daemon(options: options, roles: [.speaker], speaker: speaker).run()
    }
}
