import AdminServer
import ArgumentParser
import LinuxNetwork
import UnixSignals

/// `martlet monitor`: what happens on the wire now.
struct MonitorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Print BGP, BFD, ARP and neighbor discovery as they pass, until Ctrl-C.",
        discussion: """
            Needs CAP_NET_RAW. Where a daemon answers at --admin, what changes in it is printed \
            between the packets that led to it: its peers, the endpoints in its data plane, and \
            what it notes for its operator. TCP MD5 does not hide what is said.
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "An interface to watch; may be repeated (default: all).", valueName: "name"))
    var interface: [String] = []
    @OptionGroup var options: CaptureOptions
    @Option(help: ArgumentHelp("End after so many seconds.", valueName: "n"))
    var seconds: Double?
    @Option(help: ArgumentHelp("End after so many events.", valueName: "n"))
    var count: Int?
    @Flag(
        help: "Every second, how many connections each Service port got in the daemon's data plane."
    )
    var connections = false
    @OptionGroup var server: AdminOption

    func validate() throws {
        if let seconds, !(seconds > 0 && seconds < 1e9) {
            throw ValidationError("--seconds: more than 0")
        }
        if let count, count < 1 { throw ValidationError("--count: 1 or more") }
    }

    func run() async throws {
        let writer = EventWriter(output: options.output, isVerbose: options.verbose)
        let monitor: LiveCapture
        do {
            monitor = try LiveCapture(
                LiveCapture.Wish(
                    interfaces: interface, ports: options.ports, isVerbose: options.verbose,
                    seconds: seconds, count: count), writer: writer)
        } catch {
            complain("martlet: \(error)")
            throw ExitCode.failure
        }
        let address = AdminAddress(server.place)
        let outcome = await withTaskGroup(of: LiveCapture.Outcome?.self) { group in
            group.addTask { await monitor.outcome() }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: [.sigint, .sigterm]) {
                    monitor.stop()
                    break
                }
                return nil
            }
            if let address {
                group.addTask {
                    await DaemonWatch(
                        address, writer: writer, tellsConnections: connections
                    ).run()
                    return nil
                }
            }
            var outcome: LiveCapture.Outcome?
            while outcome == nil, let ended = await group.next() { outcome = ended }
            group.cancelAll()
            return outcome
        }
        guard let outcome else { return }
        complain(outcome.summary)
        if outcome.failure != nil { throw ExitCode.failure }
    }
}
