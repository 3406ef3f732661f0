/// Collects what is wrong with one file, or with one object of it, while reading goes on.
///
/// A reference, so that every reader of a nested field writes to the same list.
final class ProblemLog {
    /// The most problems that one object, or one file as a whole, is given; the rest is counted.
    static let limit = 100

    /// Who wrote what is read, and so how strictly it is judged.
    enum Origin {
        /// A person, who is to hear of every slip.
        case manifest
        /// An API server, of a kind of its own; it has judged the object by its own schema, and
        /// may know fields that are younger than this program.
        case server
        /// An API server, of a kind that Martlet's users write.
        case configurationServer

        /// An API server.
        var isServer: Bool { self != .manifest }
    }

    /// The file as the reader was told it; empty for what comes from a server.
    let file: String
    /// Who wrote what is read.
    let origin: Origin
    /// Added to every line that the YAML parser reports: the document's place in its file.
    let lineOffset: Int
    /// `Kind namespace/name`, as far as it is known.
    var object: String
    /// What has been found, in the order of reading.
    private(set) var problems: [Problem] = []
    private(set) var hasErrors = false
    /// Lines of the fields that have been read, by path, for rules that are judged later; `nil`
    /// when nobody will ask.
    private(set) var fieldLines: [String: Int]?
    private var dropped = 0

    init(
        file: String, lineOffset: Int = 0, object: String = "", origin: Origin = .manifest
    ) {
        self.file = file
        self.origin = origin
        self.lineOffset = lineOffset
        self.object = object
    }

    /// From now on the lines of fields are kept.
    func recordFieldLines() { fieldLines = fieldLines ?? [:] }

    /// Remembers where a field stands; `line` counts within the document.
    func recordLine(of place: FieldPath, _ line: Int?) {
        guard fieldLines != nil, let line else { return }
        fieldLines?[place.description] = line + lineOffset
    }

    /// Records a problem; `line` counts within the document.
    func add(
        _ severity: Problem.Severity, line: Int?, field: String = "", rule: String, remedy: String
    ) {
        if severity == .error { hasErrors = true }
        guard problems.count < Self.limit else {
            dropped += 1
            return
        }
        problems.append(
            Problem(
                severity, file: file, line: line.map { $0 + lineOffset }, object: object,
                field: field, rule: rule, remedy: remedy))
    }

    /// Everything found, with a last line that counts what was left out.
    func finish() -> [Problem] {
        guard dropped > 0 else { return problems }
        return problems + [
            Problem(
                hasErrors ? .error : .notice, file: file, object: object,
                rule: "\(dropped) more problems are not listed",
                remedy: "correct the ones above first")
        ]
    }
}
