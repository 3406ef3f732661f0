import ArgumentParser
import LinuxNetwork

/// What `decode` and `monitor` have in common.
struct CaptureOptions: ParsableArguments {
    @Option(
        name: .customLong("bgp-port"),
        help: ArgumentHelp("A port of BGP beside 179; may be repeated.", valueName: "port"))
    var bgpPorts: [UInt16] = []
    @Flag(
        name: .shortAndLong,
        help: "Also every BFD packet and fragment, all prefixes and all capabilities.")
    var verbose = false
    @Option(
        name: .shortAndLong, help: "text, or json: one object a line.")
    var output: OutputFormat = .text

    func validate() throws {
        guard !bgpPorts.contains(0) else { throw ValidationError("--bgp-port: 1 to 65535") }
    }

    /// All ports of BGP.
    var ports: Set<UInt16> { Set(bgpPorts).union([179]) }
}

/// `martlet decode`: what a capture holds.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Print what a capture holds of BGP, BFD, ARP and neighbor discovery.",
        discussion: """
            Reads pcap and pcapng, as tcpdump and Wireshark write them; - is standard input. One \
            line an event; BFD packets that bring nothing new are counted only. What is malformed \
            is shown with the rule that it breaks. Exit 1 when the file is damaged; what could be \
            read is printed before.
            """)

    @Argument(help: ArgumentHelp("A capture.", valueName: "file.pcap")) var file: String
    @OptionGroup var options: CaptureOptions

    func run() throws {
        let writer = EventWriter(output: options.output, isVerbose: options.verbose)
        do {
            try decode(try CaptureFile(file), writer)
        } catch let error as CaptureFileError {
            complain("martlet: \(error)")
            throw ExitCode.failure
        } catch is EventWriter.Closed {
            // Whoever read has seen enough.
        }
    }

    /// Prints everything up to the end or the damage, also what only the end shows.
    private func decode(_ capture: CaptureFile, _ writer: EventWriter) throws {
        var decoder = CaptureDecoder(bgpPorts: options.ports, isVerbose: options.verbose)
        var damage: CaptureFileError?
        var events: [CaptureEvent] = []
        do {
            while try capture.next({ frame, bytes in
                events = decoder.decode(frame, bytes, capture.linkType)
            }) {
                try writer.write(events)
            }
        } catch let error as CaptureFileError {
            damage = error
        }
        try writer.write(decoder.finish())
        complain(decoder.counts.summary(events: writer.count))
        if let damage { throw damage }
    }
}
