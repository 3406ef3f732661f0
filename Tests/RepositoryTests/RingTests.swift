import Foundation
import Testing

/// The rings of Docs/Architecture.md, checked against the import lines.
@Suite struct RingTests {
    static let rings: [String: Int] = [
        "NetworkTypes": 0,
        "Layer2": 1, "BGP": 1, "BFD": 1, "Membership": 1, "LoadBalancing": 1, "Dataplane": 1,
        "Kubernetes": 1,
        "CLinux": 2, "LinuxNetwork": 2, "SealedDatagrams": 2, "ClusterSource": 2, "AdminServer": 2,
        "Controller": 3, "Speaker": 3,
        "martlet": 4,
    ]

    /// What a ring-1 module may import from outside the house.
    static let allowedOutside: [String: Set<String>] = ["Kubernetes": ["Yams", "Foundation"]]

    /// Modules of ring 2 that another ring-2 module may stand on.
    static let sharedRingTwo: [String: Set<String>] = [
        "LinuxNetwork": ["CLinux"], "SealedDatagrams": ["LinuxNetwork"],
        "ClusterSource": ["LinuxNetwork"],
    ]

    private func imports(of file: String, in repository: Repository) throws -> [String] {
        try repository.lines(file).compactMap { line in
            let words = line.text.split(separator: " ")
            guard let keyword = words.firstIndex(of: "import"), keyword < words.count - 1,
                words[..<keyword].allSatisfy({
                    $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0)
                })
            else { return nil }
            return words[words.count - 1].split(separator: ".").first.map(String.init)
        }
    }

    @Test("a module imports only from rings below its own, and ring 1 only the vocabulary")
    func ringRule() throws {
        let repository = try Repository()
        let files = repository.swiftFiles(under: "Sources")
        #expect(files.count > 30)
        for file in files {
            let module = String(file.split(separator: "/")[1])
            let ring = try #require(Self.rings[module], "\(module) has no ring")
            for imported in try imports(of: file, in: repository) {
                if let other = Self.rings[imported] {
                    let allowed =
                        other < ring
                        || Self.sharedRingTwo[module]?.contains(imported) == true
                    #expect(allowed, "\(file) imports \(imported) of ring \(other)")
                    #expect(ring != 1 || other == 0, "\(file) imports \(imported)")
                } else if ring <= 1 {
                    #expect(
                        Self.allowedOutside[module]?.contains(imported) == true,
                        "\(file) imports \(imported): rings 0 and 1 have no outside")
                }
            }
        }
    }

    @Test("the controller opens no raw socket: it never imports LinuxNetwork or Layer2")
    func controllerPrivileges() throws {
        let repository = try Repository()
        for file in repository.swiftFiles(under: "Sources/Controller") {
            let imported = Set(try imports(of: file, in: repository))
            #expect(imported.isDisjoint(with: ["LinuxNetwork", "Layer2", "Speaker"]), "\(file)")
        }
    }

    @Test("rings 0 and 1 know no clock, task, logger or random source")
    func pureRings() throws {
        let repository = try Repository()
        let banned = [
            "Task {", "Task.detached", "ContinuousClock", "SuspendingClock", ".random(",
            "SystemRandomNumberGenerator", "Logger(", "Date()", "DispatchQueue",
        ]
        for (module, ring) in Self.rings where ring <= 1 {
            for file in repository.swiftFiles(under: "Sources/\(module)") {
                let text = try repository.text(file)
                for word in banned where text.contains(word) {
                    Issue.record("\(file) contains \(word)")
                }
            }
        }
        #expect(!banned.isEmpty)
    }

    @Test("unsafe code lives in LinuxNetwork and CLinux only")
    func unsafeHome() throws {
        let repository = try Repository()
        let word = try Regex(#"\bunsafe\b|\bUnsafe[A-Z]"#)
        for file in repository.swiftFiles(under: "Sources")
        where !file.hasPrefix("Sources/LinuxNetwork/") {
            for line in try repository.lines(file) {
                let code = line.text.prefix(while: { _ in true })
                guard !code.drop(while: { $0 == " " }).hasPrefix("//") else { continue }
                #expect(code.firstMatch(of: word) == nil, "\(file):\(line.number)")
            }
        }
    }
}
