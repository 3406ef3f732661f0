import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct PoolRuleTests {
    private static let kind = "IPAddressPool"

    static let cases: [ConfigurationCase] = [
        .accepts(kind, "addresses: [192.0.2.0/24]"),
        .accepts(kind, "addresses: [192.0.2.1/32, 192.0.2.2-192.0.2.2, '2001:db8::/64']"),
        .accepts(kind, "addresses: [192.0.2.0 - 192.0.2.9, 2001:db8::1-2001:db8::ff]"),
        .refuses(
            kind, "autoAssign: true", at: "spec.addresses", "is required", "add \"addresses:\""),
        .refuses(kind, "addresses: []", at: "spec.addresses", "is empty", "192.0.2.0/24"),
        .refuses(
            kind, "addresses:\n- 192.0.2.0/24\n- 192.0.2.9-192.0.2.8", at: "spec.addresses[1]",
            line: 7, "runs backwards: 192.0.2.9 is above 192.0.2.8", "192.0.2.8-192.0.2.9"),
        .refuses(
            kind, "addresses: [192.0.2.1]", at: "spec.addresses[0]", "single address",
            "write 192.0.2.1/32"),
        .refuses(
            kind, "addresses: ['2001:db8::1']", at: "spec.addresses[0]", "single address",
            "write 2001:db8::1/128"),
        .refuses(
            kind, "addresses: [192.0.2.1-2001:db8::1]", at: "spec.addresses[0]",
            "different families", "its own range"),
        .refuses(
            kind, "addresses: [192.0.2.0/33]", at: "spec.addresses[0]", "192.0.2.0/33",
            "192.0.2.0/24"),
        .refuses(
            kind, "addresses: [224.0.0.0/24]", at: "spec.addresses[0]", "multicast", "host"),
        .accepts(kind, "addresses: [192.0.2.0/25, 192.0.2.128/25]"),
        .refuses(
            kind, "addresses:\n- 192.0.2.0/25\n- 198.51.100.0/24\n- 192.0.2.127-192.0.2.130",
            at: "spec.addresses[2]", line: 8,
            "192.0.2.127-192.0.2.130 overlaps 192.0.2.0/25 of the same pool", "once"),
        .refuses(
            kind, "addresses: [192.0.2.0/24, 192.0.2.0/24]", at: "spec.addresses[1]",
            "overlaps", "once"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nautoassign: false", at: "spec.autoassign", line: 6,
            "is not a known field", "did you mean \"autoAssign\"?"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nautoAssign: 'no'", at: "spec.autoAssign", line: 6,
            "must be true or false", "without quotes"),
        .accepts(kind, "addresses: [192.0.2.0/24]\nretention: 90"),
        .accepts(kind, "addresses: [192.0.2.0/24]\nretention: 1h30m"),
        .accepts(kind, "addresses: [192.0.2.0/24]\nretention: 31536000"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nretention: 31536001", at: "spec.retention", line: 6,
            "out of range", "from 0 to 31536000"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nretention: -1s", at: "spec.retention", line: 6,
            "out of range", "0s to"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nretention: soon", at: "spec.retention", line: 6,
            "\"soon\" is not a duration", "90s or 1h30m"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nretention: 1500ms", at: "spec.retention", line: 6,
            "not a whole number of seconds", "1s or 2s"),
        .accepts(kind, "addresses: [192.0.2.0/24]\nserviceAllocation: {priority: -5}"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nserviceAllocation: {priority: high}",
            at: "spec.serviceAllocation.priority", line: 6, "whole number", "number"),
        .refuses(
            kind, "addresses: [192.0.2.0/24]\nserviceAllocation:\n  namespaces: [a, b, a]",
            at: "spec.serviceAllocation.namespaces[2]", line: 7, "repeats a", "remove one"),
        .refuses(
            kind,
            "addresses: [192.0.2.0/24]\nserviceAllocation:\n  serviceSelectors:\n"
                + "  - matchLabels: {a: b}\n  - matchLabels: {a: b}",
            at: "spec.serviceAllocation.serviceSelectors[1]", line: 9, "repeats", "remove one"),
    ]

    @Test("Every rule of a pool holds at its border and is broken beyond it", arguments: cases)
    func rule(_ subject: ConfigurationCase) { subject.check() }

    private func pool(_ spec: String) -> (IPAddressPool?, [Problem]) {
        let text = documents((kind: "IPAddressPool", name: "lan", spec: spec))
        let (configuration, problems) = assembled(text)
        return (configuration.pools["lan"], problems)
    }

    @Test func `a pool without settings has the documented defaults`() throws {
        let (found, problems) = pool("{addresses: [192.0.2.0/24]}")
        let pool = try #require(found)
        #expect(pool.autoAssign)
        #expect(!pool.avoidBuggyIPs)
        #expect(pool.serviceAllocation == nil)
        #expect(pool.conflictDetection)
        #expect(pool.retentionSeconds == 0)
        #expect(problems.errors.isEmpty)
    }

    @Test func `every setting of a pool is read`() throws {
        let (found, problems) = pool(
            """
            {addresses: ["2001:db8::/120", 192.0.2.5-192.0.2.9], autoAssign: false,
              avoidBuggyIPs: true, conflictDetection: false, retention: 2m,
              serviceAllocation: {priority: 10, namespaces: [shop],
                namespaceSelectors: [{matchLabels: {team: red}}],
                serviceSelectors: [{matchExpressions: [{key: app, operator: Exists}]}]}}
            """)
        let pool = try #require(found)
        #expect(pool.addresses.map(\.description) == ["2001:db8::/120", "192.0.2.5-192.0.2.9"])
        #expect(!pool.autoAssign)
        #expect(pool.avoidBuggyIPs)
        #expect(!pool.conflictDetection)
        #expect(pool.retentionSeconds == 120)
        let allocation = try #require(pool.serviceAllocation)
        #expect(allocation.priority == 10)
        #expect(allocation.namespaces == ["shop"])
        #expect(allocation.namespaceSelectors == [LabelSelector(matchLabels: ["team": "red"])])
        #expect(allocation.serviceSelectors.first?.matches(["app": "web"]) == true)
        #expect(problems.notices.isEmpty, "pools are wholly in effect: \(problems)")
    }

    @Test func `an address with host bits stands for its block, and a warning says so`() throws {
        let (found, problems) = pool("{addresses: [192.0.2.77/24]}")
        #expect(try #require(found).addresses.map(\.description) == ["192.0.2.0/24"])
        #expect(problems.warnings.contains { $0.rule.contains("all of 192.0.2.0/24 is meant") })
    }

    @Test func `a pool that nobody announces is given out, with a warning`() {
        let (found, problems) = pool("{addresses: [192.0.2.0/24]}")
        #expect(found != nil)
        #expect(problems.warnings.map(\.object) == ["IPAddressPool metallb-system/lan"])
        #expect(problems.warnings.first?.rule.contains("nobody announces") == true)
        #expect(problems.warnings.first?.remedy.contains("L2Advertisement") == true)
    }
}
