import FoundationEssentials

/// Reading of a small file that may be replaced at any time.
enum CredentialFile {
    /// Why a file cannot be used.
    struct Failure: Error, Equatable {
        /// In a few words, without the path.
        var reason: String
    }

    /// More than any token or bundle of authorities has; a bundle of all public ones has 250 kB.
    static let bound = 4 << 20

    /// All of a file.
    static func read(_ path: String) throws(Failure) -> [UInt8] {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path))
        } catch let error as CocoaError {
            switch error.code {
            case .fileReadNoSuchFile: throw Failure(reason: "there is no such file")
            case .fileReadNoPermission: throw Failure(reason: "the file may not be read")
            default: throw Failure(reason: "the file cannot be read (\(error.code.rawValue))")
            }
        } catch {
            throw Failure(reason: "the file cannot be read")
        }
        guard content.count <= bound else {
            throw Failure(reason: "the file has more than \(bound >> 20) MiB")
        }
        return Array(content)
    }

    /// A text on one line, without the white space around it.
    static func text(_ path: String) throws(Failure) -> String {
        line(try read(path))
    }

    /// Bytes as a text without the white space around it.
    static func line(_ bytes: [UInt8]) -> String {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let text = bytes.drop(while: isSpace)
        let end = text.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? text.startIndex
        return String(decoding: text[..<end], as: UTF8.self)
    }
}
