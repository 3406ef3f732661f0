import Foundation
import Testing

/// Flags and ports that manifests, units and documents speak of.
@Suite struct DeployFlagTests {
    /// The long names of all options, as ArgumentParser derives them from their declarations.
    private func flags(_ repository: Repository) throws -> Set<String> {
        var flags: Set = ["--help", "--version"]
        for file in repository.swiftFiles(under: "Sources/martlet/Commands") {
            let text = try repository.text(file)
            for match in text.matches(of: /customLong\("([a-z-]+)"\)/) {
                flags.insert("--\(match.1)")
            }
            for match in text.matches(of: /@(?:Option|Flag)[^@{}]*?\n?\s*var ([a-zA-Z]+)/) {
                let kebab = match.1.replacing(/[A-Z]/) { "-\($0.0.lowercased())" }
                flags.insert("--\(kebab)")
            }
        }
        return flags
    }

    @Test("manifests and units give flags that exist")
    func manifests() throws {
        let repository = try Repository()
        let known = try flags(repository)
        #expect(known.isSuperset(of: ["--in-cluster", "--state", "--gossip-keys", "--admin"]))
        var count = 0
        for file in repository.files
        where file.hasPrefix("deploy/kubernetes/") || file.hasPrefix("deploy/systemd/") {
            for match in try repository.text(file).matches(of: /(?:^|[\s`"'])(--[a-z][a-z-]+)/) {
                count += 1
                #expect(known.contains(String(match.1)), "\(file) gives \(match.1)")
            }
        }
        #expect(count >= 20)
    }

    @Test("documents about clusters name flags of martlet that exist")
    func documents() throws {
        let repository = try Repository()
        let known = try flags(repository)
        var count = 0
        for file in ["Docs/Kubernetes.md", "Docs/MigratingFromMetalLB.md"] {
            // Code spans that begin with a flag speak of ours; commands of others are whole lines.
            for match in try repository.text(file).matches(of: /`(--[a-z][a-z-]+)/) {
                count += 1
                #expect(known.contains(String(match.1)), "\(file) names \(match.1)")
            }
        }
        #expect(count >= 6)
    }

    @Test("alerts and panels ask for metrics that a document describes")
    func metrics() throws {
        let repository = try Repository()
        let described = try ["Docs/Operating.md", "Docs/BGP.md"].map(repository.text).joined()
        var count = 0
        for file in repository.files where file.hasPrefix("deploy/kubernetes/components/monitoring")
        {
            for match in try repository.text(file).matches(of: /\b(?:martlet|metallb)_[a-z0-9_]+/) {
                count += 1
                #expect(described.contains(match.0), "\(file) asks for \(match.0)")
            }
        }
        #expect(count >= 30)
    }

    @Test("units run as a user of their own with few rights")
    func units() throws {
        let repository = try Repository()
        let units = repository.files.filter {
            $0.hasPrefix("deploy/systemd/") && $0.hasSuffix(".service")
        }
        #expect(units.count == 3)
        for unit in units {
            let text = try repository.text(unit)
            for setting in [
                "User=martlet", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=always",
                "CapabilityBoundingSet=", "TimeoutStopSec=30",
            ] {
                #expect(text.contains("\n\(setting)"), "\(unit) lacks \(setting)")
            }
            #expect(text.contains("CAP_") == !unit.contains("controller"))
        }
    }
}
