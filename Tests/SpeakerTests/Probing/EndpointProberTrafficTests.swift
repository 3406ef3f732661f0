import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import TestNetwork
import Testing

@testable import Speaker

/// What questions do to the node that asks them.
@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct EndpointProberTrafficTests {
    private static let loopback = IPAddress(ipv4: 0x7f00_0001)
    private static let web = ServiceName(namespace: "shop", name: "web")
    private static let quick = ProbeSettings(
        interval: .milliseconds(20), timeout: .milliseconds(500), failsOpen: false)

    private static func target(_ port: UInt16) -> EndpointHealth.Target {
        EndpointHealth.Target(service: web, address: loopback, port: port)
    }

    @Test("questions by TCP and HTTP leave no connection in TIME_WAIT behind")
    func noTraces() async throws {
        let methods: [HealthCheck.Method] = [.tcp, .http(path: "/", statuses: 200...299)]
        for method in methods {
            try await Namespace.run {
                try Namespace.shell("ip link set lo up")
                let port = try AnsweringPort("HTTP/1.1 204 No Content\r\n\r\n")
                let prober = try EndpointProber()
                try prober.start(seed: 1)
                prober.update([
                    Self.target(port.address.port): .init(settings: Self.quick, method: method)
                ])
                #expect(Namespace.eventually { port.connections > 20 })
                prober.stop()
                port.stop()
                // The fourth column is the state; 06 is TIME_WAIT.
                let waiting = try Namespace.shell("awk '$4 == \"06\"' /proc/net/tcp")
                #expect(waiting.isEmpty)
                #expect(prober.report.excluded.isEmpty && prober.report.notAsked == 0)
            }
        }
    }

    @Test("a question that the node's own filter stops counts for neither side, and is told once")
    func ownFilter() async throws {
        let prober = try await Namespace.run {
            try Namespace.shell(
                "ip link set lo up; nft add table inet own; nft add chain inet own output "
                    + "'{ type filter hook output priority 0; }'; "
                    + "nft add rule inet own output udp dport 5300 drop")
            let prober = try EndpointProber()
            try prober.start(seed: 1)
            prober.update([
                Self.target(5300): .init(
                    settings: Self.quick, method: .udp(sends: [1], expects: nil))
            ])
            #expect(Namespace.eventually { prober.report.notAsked > 5 })
            prober.stop()
            #expect(prober.report.excluded.isEmpty)
            return prober
        }
        var told: [EndpointProber.Event] = []
        for await event in prober.events { told.append(event) }
        guard case .notAsked(let target, let error)? = told.first, told.count == 1 else {
            Issue.record("\(told)")
            return
        }
        #expect(target == Self.target(5300))
        #expect(error.description.contains("127.0.0.1:5300"))
        #expect(error.description.contains("packet filter"))
    }
}
