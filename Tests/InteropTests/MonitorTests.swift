import Foundation
import Testing

extension RealNetwork {
    /// `martlet monitor` beside a daemon and a router.
    @Suite struct MonitorTests {}
}

extension RealNetwork.MonitorTests {
    @Test("packets are shown as they pass, and beside them what the daemon makes of its peers")
    func live() throws {
        let lab = try RouterLab()
        let lan = lab.lan
        try lab.service("web", 10)
        try lab.peer("tor", at: "192.0.2.50", my: 64501, "dualStackAddressFamily: true")
        let monitor = try lan.start(
            "node-a",
            [
                NamespacedLAN.executable, "monitor", "--seconds", "60", "--admin",
                lan.adminSocket("node-a"),
            ], log: "monitor.log", patience: 5)
        let short = try lan.start(
            "node-a",
            [
                NamespacedLAN.executable, "monitor", "--interface", "eth0", "-o", "json", "--count",
                "3", "--seconds", "60", "--admin", "/nonexistent",
            ], log: "short.log", patience: 5)
        for one in [monitor, short] {
            try lan.waitUntil("the monitor watches", log: one) { one.text.contains("watching") }
        }
        try lab.router(
            .bird, sessions: [RouterSession("tor", "192.0.2.11", as: 64501)])
        try lab.start("node-a")
        try lab.expectEstablished()
        try lan.run("client", "arping -c 1 -w 1 -i eth0 192.0.2.11", allowFailure: true)

        let wanted = [
            "OPEN: AS 64501", "OPEN: AS 64500", "KEEPALIVE",
            "UPDATE: 198.18.0.10/32 announced with origin IGP, AS path 64501",
            "UPDATE: 2001:db8:100::a/128 announced", "End-of-RIB ipv4",
            "who has 192.0.2.11? tell 192.0.2.100", "peer tor: ", "Established",
        ]
        var missing = wanted
        eventually(within: 15, every: 0.1) {
            let text = monitor.text
            missing = wanted.filter { !text.contains($0) }
            return missing.isEmpty
        }
        #expect(missing.isEmpty, "not in \(monitor.text)\n\(lab.lastWords)")
        #expect(!monitor.text.contains("malformed"), "\(monitor.text)")

        monitor.signal(SIGINT)
        #expect(monitor.text.contains("0 dropped by the kernel"), "\(monitor.text)")
        #expect(eventually(within: 5) { !short.isRunning } != nil)
        let objects = short.text.split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(objects.count == 3, "\(short.text)")
        for object in objects {
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(object.utf8))
            }
        }
    }

    @Test("what cannot be watched is said in one line with a remedy")
    func refused() throws {
        let lan = try NamespacedLAN(nodes: 1)
        let program = NamespacedLAN.executable
        let missing = try lan.run(
            "node-a", "'\(program)' monitor -i none0 --admin /nonexistent", allowFailure: true)
        #expect(missing.status == 1)
        #expect(missing.text.contains("interface none0: No such device"), "\(missing.text)")
        let weak = try lan.run(
            "node-a",
            "setpriv --bounding-set -net_raw --inh-caps -net_raw '\(program)' monitor "
                + "--admin /nonexistent", allowFailure: true)
        #expect(weak.status == 1)
        #expect(weak.text.contains("needs CAP_NET_RAW"), "\(weak.text)")
    }
}
