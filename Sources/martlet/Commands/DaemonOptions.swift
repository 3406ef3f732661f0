import AdminServer
import ArgumentParser
import ClusterSource
import Foundation
import Kubernetes
import Logging

/// What `run`, `controller` and `speaker` have in common.
struct DaemonOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions

    @Option(
        help: ArgumentHelp(
            "Folder for allocations and claims; daemons on one machine may share it.",
            discussion:
                "With --manifests and without it allocations are forgotten at the end, and "
                + "several daemons agree only on addresses that the Services ask for. With an API "
                + "server it keeps what is needed to start while the server is away (a speaker's "
                + "default: \(defaultState)).",
            valueName: "dir"))
    var state: String?

    @Option(
        help: ArgumentHelp(
            "Name of this node, as its Node object is called (default: NODE_NAME, else the host "
                + "name).",
            valueName: "name"))
    var node: String?

    @Option(
        help: ArgumentHelp(
            "Where the admin server listens: ADDR:PORT or the path of a Unix socket. May be given "
                + "several times (default: \(defaultAdmin.joined(separator: " and "))).",
            valueName: "place"))
    var admin: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve the Services of this loadBalancerClass (default: those without a class).",
            valueName: "class"))
    var loadBalancerClass: String?

    @Option(help: ArgumentHelp("Namespace of the configuration objects.", valueName: "namespace"))
    var namespace = "metallb-system"

    @Option(
        name: .customLong("api-qps"),
        help: ArgumentHelp(
            "The most requests in a second that are sent to the API server, 1 to 10000.",
            valueName: "number"))
    var requestsPerSecond = 500

    @Option(help: "Least serious log level: trace, debug, info, notice, warning, error, critical.")
    var logLevel: Logger.Level = .info

    @Option(help: "Form of the log lines: text or json.")
    var logFormat: LogFormat = .text

    /// Where a speaker in a cluster keeps its last good state.
    static let defaultState = "/var/lib/martlet"
    static let defaultAdmin = ["127.0.0.1:7480", "/run/martlet/admin.sock"]

    func validate() throws {
        for place in admin where AdminAddress(place) == nil {
            throw ValidationError("--admin \(place): write ADDR:PORT, [V6]:PORT or /a/path")
        }
        guard (1...10_000).contains(requestsPerSecond) else {
            throw ValidationError("--api-qps \(requestsPerSecond): 1 to 10000")
        }
        try cluster.validateForDaemon()
        guard SpeakerRecord.isValid(node: nodeName) else {
            throw ValidationError(
                "\"\(nodeName)\" is no node name: lower-case letters, digits, '-' and '.', at most "
                    + "253; give --node as the Node object is called")
        }
    }

    /// The node's name; a host name in lower case, as kubelet registers it.
    var nodeName: String {
        node ?? ProcessInfo.processInfo.environment["NODE_NAME"]
            ?? ProcessInfo.processInfo.hostName.lowercased()
    }

    var adminAddresses: [AdminAddress] {
        (admin.isEmpty ? Self.defaultAdmin : admin).compactMap { AdminAddress($0) }
    }

    var scope: ServiceScope { ServiceScope(loadBalancerClass: loadBalancerClass) }
}

/// What a speaker needs beside.
struct SpeakerOptions: ParsableArguments {
    @Option(
        name: .customLong("interface"),
        help: ArgumentHelp(
            "Announce on this interface only; may be given several times (default: every Ethernet "
                + "interface that is not a container's).",
            valueName: "name"))
    var interfaces: [String] = []

    @OptionGroup var gossip: GossipOptions
    @OptionGroup var bgp: BGPOptions

    @Option(help: "Who takes traffic on to the endpoints: none (kube-proxy does) or nftables.")
    var dataplane: DataplaneChoice = .none

    @Flag(
        help: ArgumentHelp(
            "Delete the nftables table at the end.",
            discussion:
                "Without it the table stays, so that connections live on over a restart, which "
                + "takes it over."))
    var removeDataplane = false

    @OptionGroup var backing: BackingOptions

    @Option(
        help: ArgumentHelp(
            "What a node needs before it answers for an address: none beyond the election, or a "
                + "Lease that is fresh by its own clock (lease; needs an API server).",
            discussion:
                "With lease a node that is cut off is silent before another takes its addresses; "
                + "an address of a node that died waits until its Lease has run out."))
    var fencing: FencingChoice = .none

    @Option(
        help: ArgumentHelp(
            "With --fencing lease: how long a Lease lasts, in seconds, 3 to 300.",
            valueName: "seconds"))
    var fencingDuration = 10

    func validate() throws {
        guard (3...300).contains(fencingDuration) else {
            throw ValidationError("--fencing-duration \(fencingDuration): 3 to 300 seconds")
        }
        guard !removeDataplane || bgp.bgpStop != .keep else {
            throw ValidationError(
                "--remove-dataplane with --bgp-stop keep: routers would go on sending what nothing "
                    + "takes to endpoints; leave out one of the two")
        }
    }
}

enum DataplaneChoice: String, ExpressibleByArgument, CaseIterable {
    case none
    case nftables
}

enum FencingChoice: String, ExpressibleByArgument, CaseIterable {
    case none
    case lease
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
