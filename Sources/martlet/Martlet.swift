import ArgumentParser

/// The root of the command line.
@main
struct MartletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Addresses for Services of type LoadBalancer, on bare metal.",
        discussion: """
            A first try, on one machine:

              martlet validate /etc/martlet/manifests
              martlet run --manifests /etc/martlet/manifests --state /var/lib/martlet \\
                  --dataplane nftables
              martlet status
              martlet explain default/web

            Shell completions: martlet --generate-completion-script bash|zsh|fish
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, ControllerCommand.self, SpeakerCommand.self, StatusCommand.self,
            ExplainCommand.self, DrainCommand.self, UndrainCommand.self, MoveCommand.self,
            ResetCommand.self,
            SimulateCommand.self, MonitorCommand.self, DecodeCommand.self, ValidateCommand.self,
            ConvertCommand.self,
        ])
}
