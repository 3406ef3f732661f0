import ArgumentParser
import Foundation

/// `-o`: for people or for programs.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// Standard output for people: colour only where a terminal shows it.
struct Terminal {
    let isColoured: Bool

    init() {
        let environment = ProcessInfo.processInfo.environment
        isColoured =
            isatty(STDOUT_FILENO) == 1 && environment["NO_COLOR"] == nil
            && environment["TERM"] != "dumb"
    }

    enum Style: String {
        case good = "32"
        case bad = "31"
        case doubtful = "33"
        case strong = "1"
        case faint = "2"
    }

    func styled(_ text: String, _ style: Style) -> String {
        isColoured ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
    }
}

extension Encodable {
    /// Pretty JSON with sorted keys and a line end.
    func json() throws -> String {
        String(decoding: try jsonBytes(pretty: true), as: UTF8.self) + "\n"
    }

    func jsonBytes(pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.dateEncodingStrategy = .iso8601
        return Array(try encoder.encode(self))
    }
}

/// Writes text to standard output as it is.
func emit(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
}

/// Writes a line to standard error.
func complain(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
