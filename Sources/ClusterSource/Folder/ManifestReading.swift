import Kubernetes
import LinuxNetwork

/// What one look at a manifest file gave.
enum ManifestReading: Sendable {
    /// There is no such file.
    case gone
    /// The content is the one that was read before.
    case unchanged(FileIdentity)
    /// The file changed while it was being read.
    case unstable
    /// The file could not be read.
    case unreadable(Problem)
    /// The file was read.
    case read(ManifestFile, FileIdentity, digest: Int)

    /// Reads and parses a file, unless its content is the one with this digest.
    ///
    /// `name` is how problems call the file. Calls may run side by side.
    init(path: String, name: String, limit: Int, knownDigest: Int?) {
        do throws(SystemError) {
            guard let (bytes, identity) = try DurableFile.read(path, limit: limit) else {
                self = .gone
                return
            }
            // Another version by now: the notice about it is on its way.
            guard try FileIdentity(path: path) == identity else {
                self = .unstable
                return
            }
            let digest = bytes.hashValue
            if digest == knownDigest {
                self = .unchanged(identity)
            } else if let text = String(validating: bytes, as: UTF8.self) {
                self = .read(ManifestReader.read(text, file: name), identity, digest: digest)
            } else {
                self = .unreadable(
                    Problem(
                        .error, file: name, rule: "the file is not UTF-8 text",
                        remedy: "save it as UTF-8"))
            }
        } catch {
            self = .unreadable(
                Problem(.error, file: name, rule: error.fileReason, remedy: error.fileRemedy))
        }
    }
}
