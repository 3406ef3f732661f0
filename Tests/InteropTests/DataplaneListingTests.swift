import Foundation
import Testing

extension RealNetwork {
    @Suite struct DataplaneListingTests {}
}

/// What people see of the table with the `nft` program, and what the documentation shows of it.
extension RealNetwork.DataplaneListingTests {
    /// A part of the page with its heading: manifests, and objects of the table in nft's words.
    private struct Section {
        var heading = ""
        var manifests = ""
        var listing = ""
    }

    /// The sections of Docs/Dataplane.md.
    private func page() throws -> [Section] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Docs/Dataplane.md")
        var sections = [Section()]
        var fence = ""
        for line in try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("```") {
                fence = fence.isEmpty ? String(line.dropFirst(3)) + "." : ""
            } else if fence.isEmpty, line.hasPrefix("## ") {
                sections.append(Section(heading: String(line.dropFirst(3))))
            } else if fence == "yaml." {
                sections[sections.count - 1].manifests += line + "\n"
            } else if fence == "nft." {
                sections[sections.count - 1].listing += line + "\n"
            }
        }
        return sections
    }

    /// Chains, maps and sets by kind and name, each as one line of text. Releases of nft break
    /// lines at different places, and name a priority of the output hook differently.
    private func objects(_ listing: String) -> [String: String] {
        var objects: [String: String] = [:]
        var (name, body): (String?, [Substring]) = (nil, [])
        for line in listing.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 3, words[2] == "{", ["chain", "map", "set"].contains(words[0]) {
                (name, body) = ("\(words[0]) \(words[1])", [])
            } else if words == ["}"], let found = name {
                objects[found] = body.joined(separator: " ")
                    .replacing("hook output priority dstnat - 5", with: "hook output priority -105")
                name = nil
            } else {
                body += words
            }
        }
        return objects
    }

    private func table(_ lan: NamespacedLAN) throws -> [String: String] {
        objects(try lan.run("node-a", "nft -s list table inet martlet", allowFailure: true).text)
    }

    /// Waits until the kernel has the objects of a section as the page shows them.
    private func expectShown(_ section: Section, _ lan: NamespacedLAN) throws {
        let shown = objects(section.listing)
        #expect(!shown.isEmpty)
        var real: [String: String] = [:]
        let isSame = try eventually {
            real = try table(lan)
            return shown.allSatisfy { real[$0.key] == $0.value }
        }
        for (name, body) in shown where isSame == nil && real[name] != body {
            Issue.record("\(name) is:\n\(real[name] ?? "not there")\nand on the page:\n\(body)")
        }
    }

    @Test("the page on the data plane shows the table as it is")
    func shown() throws {
        let sections = Dictionary(
            try page().map { ($0.heading, $0) }, uniquingKeysWith: { first, _ in first })
        let lan = try NamespacedLAN(nodes: 1)
        try lan.run("node-a", "ip route add default via 192.0.2.100")
        try lan.run("client", "ip route add 203.0.113.0/24 via 192.0.2.11")
        let one = try #require(sections["One Service, as nft shows it"])
        try lan.write("web.yaml", one.manifests)
        _ = try lan.martlet("node-a", dataplane: "nftables", extra: ["--interface", "eth0"])
        try expectShown(one, lan)
        // Whatever is not on the page is the twin of something that is.
        for name in try table(lan).keys where objects(one.listing)[name] == nil {
            #expect(
                name.hasSuffix("6") && objects(one.listing)[name.dropLast() + "4"] != nil,
                "\(name) is not on the page")
        }
        let local = try #require(sections["Policy Local"])
        try lan.write("dns.yaml", local.manifests)
        try expectShown(local, lan)
        let affine = try #require(sections["Session affinity"])
        try lan.write("game.yaml", affine.manifests)
        let isServed = try eventually {
            try lan.run("client", "echo >/dev/udp/203.0.113.12/7777")
            return try table(lan).values.contains { $0.contains("192.0.2.100 timeout") }
        }
        #expect(isServed != nil, lan.lastWords)
        try expectShown(affine, lan)
        let documents = one.manifests.split(separator: "---\n")
        try lan.write("web.yaml", documents.dropLast().joined(separator: "---\n"))
        try expectShown(try #require(sections["No endpoint"]), lan)
    }

    @Test("with affinity the table can be listed, and the packet mark stays whose it is")
    func affinity() throws {
        let lan = try NamespacedLAN(nodes: 1)
        try lan.write("pool.yaml", Manifests.pool)
        for (name, policy) in [("here", "Local"), ("there", "Cluster")] {
            let service = Manifests.service(
                name, policy: policy, port: name == "here" ? 53 : 54, target: 5353,
                transport: "UDP"
            ).replacing(
                "  ports: [{port: 5", with: "  sessionAffinity: ClientIP\n  ports: [{port: 5")
            try lan.write("\(name).yaml", service)
        }
        try lan.startDatagramEcho("a", port: 5353)
        // Somebody marks what comes in, with every bit but ours, and looks at it as it leaves.
        try lan.run(
            "node-a",
            """
            ip route add default via 192.0.2.100; ip route add default via 2001:db8:2::100
            nft 'table inet judge {
              counter kept { }; counter lost { };
              chain in { type filter hook prerouting priority mangle;
                iif eth0 udp dport 53 meta mark set 0xffffdfff; }
              chain out { type filter hook postrouting priority 0;
                udp dport 5353 meta mark 0xffffdfff counter name kept;
                udp dport 5353 meta mark != 0xffffdfff counter name lost; }
            }'
            """)
        _ = try lan.martlet("node-a", dataplane: "nftables", extra: ["--interface", "eth0"])
        let addresses = ["192.0.2.200", "2001:db8:2::200"]
        for address in addresses {
            let isAnswered = try eventually {
                try lan.exchange("hello", with: address, port: 53)?.contains("backend a") == true
            }
            #expect(isAnswered != nil, lan.lastWords)
            // Known by now: each of these is a connection of its own.
            for _ in 0..<3 { _ = try lan.exchange("hello", with: address, port: 53) }
        }
        let counters = try lan.run("node-a", "nft list counters table inet judge").text
        #expect(counters.contains(#/lost \{\s*packets 0 /#), "\(counters)")
        #expect(!counters.contains(#/kept \{\s*packets 0 /#), "\(counters)")
        for form in ["", "-s", "-j"] {
            let output = try lan.run(
                "node-a", "nft \(form) list table inet martlet", allowFailure: true)
            #expect(output.status == 0, "nft \(form): \(output.text)")
            for version in [4, 6] {
                #expect(output.text.contains("affinity-local\(version)/default/here/"))
                #expect(output.text.contains("affinity-cluster\(version)/default/there/"))
            }
        }
    }
}
