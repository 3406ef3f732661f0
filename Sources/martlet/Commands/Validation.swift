import ArgumentParser
import ClusterSource
import Controller
import Foundation
import Kubernetes

/// Checks files as the daemons do.
struct Validation {
    let namespace: String
    let withoutSharedState: Bool
    /// By which rules the ways of Services in files are judged.
    var ways = ServiceChainReview.Settings()

    private static let endings = ["yaml", "yml", "json"]

    func verdict(on paths: [String]) throws -> ValidateCommand.Verdict {
        let files = try paths.flatMap(expand)
        guard !files.isEmpty else {
            complain(
                "martlet: \(paths.joined(separator: ", ")): no .yaml, .yml or .json file there")
            throw ExitCode.failure
        }
        let manifests = try files.map {
            ManifestReader.read(try ManifestText.read($0), file: $0 == "-" ? "standard input" : $0)
        }
        var assembler = SnapshotAssembler(configurationNamespace: namespace)
        let snapshot = assembler.assemble(manifests)
        let places = places(of: manifests)
        let problems =
            snapshot.problems + wishes(snapshot, places) + pinning(snapshot, places)
            + findings(snapshot, places, pods: pods(of: manifests))
        return ValidateCommand.Verdict(
            valid: !problems.contains { $0.severity == .error },
            files: files.count, objects: manifests.map(\.objects.count).reduce(0, +),
            problems: inOrder(problems, of: manifests.map(\.file)).map(ProblemReport.init))
    }

    /// Problems in the order in which the files were given, and of lines; what has no place is
    /// last, and what stands at one place stays in order.
    private func inOrder(_ problems: [Problem], of files: [String]) -> [Problem] {
        let ranks = Dictionary(zip(files, files.indices), uniquingKeysWith: { first, _ in first })
        return problems.enumerated().sorted { left, right in
            let (one, other) = (left.element, right.element)
            return (ranks[one.file] ?? .max, one.line ?? .max, left.offset)
                < (ranks[other.file] ?? .max, other.line ?? .max, right.offset)
        }.map(\.element)
    }

    /// What is wrong with what is in force in a cluster.
    func verdict(on reading: ClusterReading) -> ValidateCommand.Verdict {
        let snapshot = reading.state.snapshot
        let problems =
            reading.unread + snapshot.problems + wishes(snapshot, [:])
            + findings(of: snapshot)
        return ValidateCommand.Verdict(
            valid: !problems.contains { $0.severity == .error }, server: reading.server,
            complete: reading.unread.isEmpty, files: 0, objects: reading.objects,
            problems: problems.map(ProblemReport.init))
    }

    /// Files as they are; folders with one level of subfolders, hidden and editors' files left out.
    private func expand(_ path: String) throws -> [String] {
        guard path != "-" else { return [path] }
        guard FileManager.default.fileExists(atPath: path) else {
            complain("martlet: \(path) does not exist")
            throw ExitCode.failure
        }
        guard Self.isFolder(path) else { return [path] }
        var files: [String] = []
        for inner in try Self.visible(in: path) {
            if Self.isFolder(inner) {
                files += try Self.visible(in: inner).filter(Self.isManifest)
            } else if Self.isManifest(inner) {
                files.append(inner)
            }
        }
        return files
    }

    private static func visible(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { !$0.hasPrefix(".") && !$0.hasSuffix("~") }
            .map { folder + (folder.hasSuffix("/") ? "" : "/") + $0 }
    }

    private static func isFolder(_ path: String) -> Bool {
        // What cannot be asked is read as a file, and then says why it cannot be read.
        let values = try? URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey])
        return values?.isDirectory ?? false
    }

    private static func isManifest(_ name: String) -> Bool {
        endings.contains { name.hasSuffix(".\($0)") }
    }

    private typealias Places = [ObjectName: (file: String, line: Int?)]

    /// Where each Service stands.
    private func places(of manifests: [ManifestFile]) -> Places {
        var places: Places = [:]
        for object in manifests.flatMap(\.objects) where object.reference.kind == "Service" {
            places[object.reference.name] = (object.file, object.line)
        }
        return places
    }

    /// The Pods, each once; a later one of the same name is reported elsewhere.
    private func pods(of manifests: [ManifestFile]) -> [Pod] {
        var pods: [ObjectName: Pod] = [:]
        for case .pod(let pod) in manifests.lazy.flatMap(\.objects).map(\.value)
        where pods[pod.metadata.name] == nil {
            pods[pod.metadata.name] = pod
        }
        return Array(pods.values)
    }

    /// What breaks the way from entrances to endpoints, in a cluster that was read as a whole.
    private func findings(of snapshot: ClusterSnapshot) -> [Problem] {
        var settings = ServiceChainReview.Settings.server
        settings.known = .allButHeadless
        return ServiceChainReview(snapshot, settings: settings).findings().map { $0.problem() }
    }

    /// What breaks the way from entrances to endpoints.
    private func findings(
        _ snapshot: ClusterSnapshot, _ places: Places, pods: [Pod]
    ) -> [Problem] {
        ServiceChainReview(snapshot, settings: ways, pods: pods).findings().map { finding in
            let place = places[finding.service]
            return finding.problem(file: place?.file ?? "", line: place?.line)
        }
    }

    /// Addresses that Services ask for in a way that makes no sense.
    private func wishes(_ snapshot: ClusterSnapshot, _ places: Places) -> [Problem] {
        snapshot.services.values.sorted { $0.name < $1.name }.compactMap { service in
            guard service.kind == .loadBalancer,
                case .invalid(let fault) = AddressWish(service)
            else { return nil }
            return Problem(
                .error, file: places[service.name]?.file ?? "", line: places[service.name]?.line,
                object: "Service \(service.name)", rule: "\(fault)",
                remedy: "until then it keeps the address that it has, or gets none")
        }
    }

    /// Without a shared folder every daemon allocates for itself, so only addresses that are asked
    /// for are the same everywhere.
    private func pinning(_ snapshot: ClusterSnapshot, _ places: Places) -> [Problem] {
        guard withoutSharedState else { return [] }
        return snapshot.services.values.sorted { $0.name < $1.name }.compactMap { service in
            guard service.kind == .loadBalancer, AddressWish(service) == .addresses([]) else {
                return nil
            }
            return Problem(
                .warning, file: places[service.name]?.file ?? "",
                line: places[service.name]?.line, object: "Service \(service.name)",
                rule: "asks for no address, and the daemons share no --state folder",
                remedy: "set annotation \(ServiceAnnotation.loadBalancerIPs.key), or share a folder"
            )
        }
    }
}
