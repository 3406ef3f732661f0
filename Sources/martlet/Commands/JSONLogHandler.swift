import Foundation
import Logging

/// Log lines as JSON objects on standard error: `time`, `level`, `msg`, and each metadata value
/// under its own key.
struct JSONLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields: [String: String] = [:]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
            fields[key] = value.description
        }
        fields["time"] = Date().ISO8601Format(.init(includingFractionalSeconds: true))
        fields["level"] = event.level.rawValue
        fields["msg"] = event.message.description
        guard var line = try? fields.jsonBytes() else { return }  // strings always encode
        line.append(UInt8(ascii: "\n"))
        FileHandle.standardError.write(Data(line))
    }
}

extension LogFormat {
    /// A logger of this form.
    func logger(label: String, level: Logger.Level) -> Logger {
        var logger = Logger(label: label) { label in
            switch self {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler()
            }
        }
        logger.logLevel = level
        return logger
    }
}
