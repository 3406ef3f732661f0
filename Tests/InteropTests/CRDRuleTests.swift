import Foundation
import Testing

/// One set of objects, judged by the CRDs and by the code that reads configuration: what one of the
/// two refuses, the other refuses as well.
@Suite struct CRDRuleTests {
    private struct Verdict: Decodable {
        let what: String
        let verdict: String
        let errors: [String]
    }

    private static let root = Fixture.folder.deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let cases = root.appending(path: "Tests/Fixtures/crds")

    /// Evaluating CEL takes the Python package `cel-python`; where tests must not be skipped, its
    /// absence fails them.
    static let canJudge: Bool = {
        let output = try? Shell.run(["python3", "-c", "import celpy, yaml"], allowFailure: true)
        return output?.status == 0 || ProcessInfo.processInfo.environment["CI"] == "true"
    }()

    private static func judged(_ file: String) throws -> [Verdict] {
        let output = try Shell.run([
            "python3", cases.appending(path: "judge.py").path,
            root.appending(path: "deploy/kubernetes/crds").path,
            cases.appending(path: file).path,
        ])
        return try JSONDecoder().decode([Verdict].self, from: Data(output.text.utf8))
    }

    @Test(
        "CRDs accept what they should, and refuse what a schema and CEL can refuse",
        .enabled(if: canJudge, "python3 has no cel-python: pip install cel-python pyyaml"),
        arguments: [("objects.yaml", 140), ("states.yaml", 9)])
    func schemas(_ file: String, _ atLeast: Int) throws {
        let verdicts = try Self.judged(file)
        #expect(verdicts.count >= atLeast)
        for verdict in verdicts {
            let isRefused = verdict.verdict == "refused"
            #expect(!verdict.errors.isEmpty == isRefused, "\(verdict.what): \(verdict.errors)")
            #expect(["accepted", "refused", "reader only"].contains(verdict.verdict))
        }
    }

    @Test("validate accepts and refuses the same objects")
    func reader() throws {
        let text = try String(
            contentsOf: Self.cases.appending(path: "objects.yaml"), encoding: .utf8)
        let folder = URL(filePath: NSTemporaryDirectory())
            .appending(path: "martlet-\(getpid())-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Nothing more can be done about a folder that does not go.
        defer { try? FileManager.default.removeItem(at: folder) }
        var counts: [String: Int] = [:]
        for document in text.components(separatedBy: "\n---\n") {
            guard let match = document.firstMatch(of: /^# (accepted|refused|reader only): (.+)/)
            else { continue }
            counts[String(match.1), default: 0] += 1
            let file = folder.appending(path: "object.yaml")
            try document.write(to: file, atomically: true, encoding: .utf8)
            let output = try Shell.run(
                [NamespacedLAN.executable, "validate", file.path], allowFailure: true)
            #expect(
                (output.status == 0) == (match.1 == "accepted"), "\(match.2): \(output.text)")
        }
        #expect(counts["accepted", default: 0] >= 20)
        #expect(counts["refused", default: 0] >= 100)
        #expect(counts["reader only", default: 0] >= 2)
    }

    @Test("every field of a CRD is a field that validate knows")
    func fields() throws {
        // Fields that nobody knows are refused by name, whatever their values.
        for (kind, version, file) in [
            ("IPAddressPool", "v1beta1", "ipaddresspools"),
            ("L2Advertisement", "v1beta1", "l2advertisements"),
            ("BGPAdvertisement", "v1beta1", "bgpadvertisements"),
            ("BFDProfile", "v1beta1", "bfdprofiles"), ("BGPPeer", "v1beta2", "bgppeers"),
            ("Community", "v1beta1", "communities"),
        ] {
            let known = try Self.fieldNames(file, version)
            #expect(known.count >= (kind == "Community" ? 1 : 6))
            let list = try Shell.run(
                """
                printf 'apiVersion: metallb.io/\(version)\\nkind: \(kind)\\nmetadata: {name: x}\\n\
                spec: {nobodyKnowsThis: 1\(known.map { ", \($0): null" }.joined())}\\n' \
                | '\(NamespacedLAN.executable)' validate -
                """, allowFailure: true
            ).text
            #expect(list.contains("nobodyKnowsThis"))
            for name in known {
                #expect(!list.contains("spec.\(name): is not a known field"), "\(kind): \(name)")
            }
        }
    }

    /// The names under `spec.properties` of one version, by their indentation in the file.
    private static func fieldNames(_ file: String, _ version: String) throws -> [String] {
        let path = root.appending(path: "deploy/kubernetes/crds/\(file).yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        let parts = text.components(separatedBy: "\n  - name: v")
        let part = try #require(parts.first { "v\($0)".hasPrefix("\(version)\n") })
        let spec = try #require(part.range(of: "\n          spec:\n"))
        var names: [String] = []
        for line in part[spec.upperBound...].split(separator: "\n") {
            guard line.hasPrefix("            ") else { break }
            if let match = line.wholeMatch(of: /^              ([A-Za-z0-9]+):$/) {
                names.append(String(match.1))
            }
        }
        return names
    }
}
