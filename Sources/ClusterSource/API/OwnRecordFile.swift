import LinuxNetwork
import Logging

/// The record of this node's speaker, kept on the node: what it held before a restart. The others
/// hear of it by gossip.
struct OwnRecordFile: Sendable {
    let path: String

    init(folder: String) { path = folder + "/speaker.json" }

    /// What a former process wrote; `nil` when there is none that can be used.
    func read(_ node: String, _ logger: Logger) -> SpeakerRecord? {
        do {
            guard let bytes = try DurableFile.read(path)?.bytes else { return nil }
            let record = try SpeakerFile.decode(bytes)
            return record.node == node ? record : nil
        } catch {
            logger.warning(
                "what this node announced before is not known",
                metadata: ["file": "\(path)", "error": "\(error)"])
            return nil
        }
    }

    /// Writes it; `nil` removes it.
    func write(_ record: SpeakerRecord?) throws {
        guard let record else { return try DurableFile.remove(path) }
        try DurableFile.replace(
            path, with: try SpeakerFile.encode(record), guarantee: .atomic)
    }
}
