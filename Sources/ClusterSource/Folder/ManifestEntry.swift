import FoundationEssentials
import Kubernetes
import LinuxNetwork

/// One file of the manifest folder: its last good content, and what is wrong with the present one.
struct ManifestEntry {
    /// Which version was looked at last.
    private(set) var identity: FileIdentity?
    /// Of the content that was looked at last, good or not.
    private(set) var digest: Int?
    /// The content in force.
    private(set) var good: ManifestFile?
    private var goodSince = Date.distantPast
    private var trouble: [Problem] = []

    /// Size of the version that was looked at last, in bytes.
    var size: Int { Int(identity?.size ?? 0) }

    /// Whether the file has content that nobody could read yet.
    var hidesSomething: Bool { good == nil && !trouble.isEmpty }

    /// The content in force, with the problems of the present version.
    var current: ManifestFile? {
        guard var file = good else { return nil }
        if !trouble.isEmpty { file.problems = trouble }
        return file
    }

    /// Problems of a file that has no content in force.
    var orphanedProblems: [Problem] { good == nil ? trouble : [] }

    /// Takes the result of a look at the file; false when nothing changes by it.
    mutating func take(_ reading: ManifestReading, at now: Date) -> Bool {
        switch reading {
        case .gone, .unstable:
            return false
        case .unchanged(let identity):
            self.identity = identity
            return false
        case .unreadable(let problem):
            (identity, digest) = (nil, nil)
            return fail([problem])
        case .read(let file, let identity, let digest):
            (self.identity, self.digest) = (identity, digest)
            guard file.isParsable else { return fail(file.problems) }
            good = file
            goodSince = now
            trouble = []
            return true
        }
    }

    private mutating func fail(_ problems: [Problem]) -> Bool {
        let consequence =
            good == nil
            ? "nothing of this file is in force"
            : "last good content of \(Self.clock(goodSince)) stays in force"
        let told = problems.map { problem in
            var problem = problem
            problem.remedy += "; \(consequence)"
            return problem
        }
        defer { trouble = told }
        return told != trouble
    }

    /// The time of day, the same for every reader whatever their time zone.
    private static func clock(_ date: Date) -> String {
        let second = Int(date.timeIntervalSince1970.rounded(.down))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes) = (second / 3600 % 24, second / 60 % 60)
        return "\(two(hours)):\(two(minutes)):\(two(second % 60)) UTC"
    }
}
