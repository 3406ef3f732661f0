import Yams

/// Parses the documents of one YAML (or JSON) text, each on its own, so that one pass finds the
/// errors of all of them, and no more than one tree is held at a time.
struct YAMLDocuments {
    /// The longest text that is read: 32 MiB.
    static let byteLimit = 32 << 20

    private let file: String
    /// Why documents, or the text as a whole, could not be parsed.
    private(set) var problems: [Problem] = []

    /// Calls `body` with the root of each document that parses, and what is to be added to its
    /// lines; returns what is wrong with the others.
    static func read(
        _ text: String, file: String, lineOffset: Int = 0, body: (DocumentNode, Int) -> Void
    ) -> [Problem] {
        guard text.utf8.count <= byteLimit else {
            let log = ProblemLog(file: file)
            log.add(
                .error, line: nil,
                rule: "has \(text.utf8.count) bytes; the limit is \(byteLimit)",
                remedy: "split it into several files")
            return log.finish()
        }
        var text = text
        text.makeContiguousUTF8()
        var documents = YAMLDocuments(file: file)
        for chunk in split(text) {
            documents.parse(String(chunk.text), lineOffset: lineOffset + chunk.line, body)
        }
        return documents.problems
    }

    private init(file: String) { self.file = file }

    private mutating func parse(
        _ text: String, lineOffset: Int, _ body: (DocumentNode, Int) -> Void
    ) {
        let log = ProblemLog(file: file, lineOffset: lineOffset)
        let aliases = AliasBound(text)
        if let excess = aliases.excess {
            log.add(
                .error, line: nil, rule: "cannot be parsed: \(excess)",
                remedy: "write the repeated parts out")
            problems += log.finish()
            return
        }
        do {
            // Without rules the resolver leaves every plain scalar alone: ScalarKind judges those
            // that are asked for, and no regular expression runs over those that are not.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                guard aliases.isEmpty || aliases.permits(root) else {
                    log.add(
                        .error, line: root.mark?.line,
                        rule: "cannot be parsed: its aliases expand to more than "
                            + "\(AliasBound.expandedNodeLimit) values, or deeper than "
                            + "\(AliasBound.depthLimit) levels",
                        remedy: "write the repeated parts out")
                    break
                }
                body(DocumentNode(root), lineOffset)
            }
        } catch let error as YamlError {
            Self.report(error, in: text, to: log)
        } catch {
            log.add(
                .error, line: nil, rule: "cannot be parsed: \(error)",
                remedy: "correct the YAML here")
        }
        problems += log.finish()
    }

    /// Cuts before every line that begins with `---`: YAML allows such a line nowhere inside a
    /// document. A head of directives and comments stays with the document that it belongs to.
    private static func split(_ text: String) -> [(text: Substring, line: Int)] {
        let bytes = text.utf8
        var cuts: [(index: String.Index, line: Int)] = []
        var line = 0
        var lineStart = bytes.startIndex
        var hasContent = false
        while lineStart < bytes.endIndex {
            let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            let content = bytes[lineStart..<end]
            if isMarker(content) {
                if hasContent { cuts.append((lineStart, line)) }
                hasContent = true
            } else if !hasContent {
                hasContent = !isPrelude(content)
            }
            line += 1
            lineStart = end < bytes.endIndex ? bytes.index(after: end) : end
        }
        var chunks: [(text: Substring, line: Int)] = []
        var start = (index: bytes.startIndex, line: 0)
        for cut in cuts + [(bytes.endIndex, 0)] {
            chunks.append((text[start.index..<cut.index], start.line))
            start = (cut.index, cut.line)
        }
        return chunks
    }

    private static func isMarker(_ line: Substring.UTF8View) -> Bool {
        guard line.starts(with: "---".utf8) else { return false }
        guard let next = line.dropFirst(3).first else { return true }
        return next == 0x20 || next == 0x09 || next == 0x0d
    }

    private static func isPrelude(_ line: Substring.UTF8View) -> Bool {
        guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else {
            return true
        }
        return first == UInt8(ascii: "#") || line.first == UInt8(ascii: "%")
    }

    private static func report(_ error: YamlError, in text: String, to log: ProblemLog) {
        var mark: (line: Int, column: Int)?
        let reason: String
        var remedy = "correct the YAML here; often it is the indentation or a missing quote"
        switch error {
        case .scanner(let context, let problem, let place, _),
            .parser(let context, let problem, let place, _),
            .composer(let context, let problem, let place, _):
            mark = (place.line, place.column)
            reason = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
        case .reader(let problem, let offset, _, _):
            mark = offset.map { place(of: $0, in: text) }
            reason = problem
            remedy = "save the file as UTF-8 without control characters"
        case .duplicatedKeysInMapping(let keys, let context):
            mark = (context.mark.line, context.mark.column)
            let names = keys.map { "\"\(FieldValue.clip($0))\"" }.joined(separator: ", ")
            reason = "the field \(names) is given twice in one mapping"
            remedy = "keep one of the two"
        case .memory:
            reason = "nested deeper than 1000 levels, or out of memory"
        case .no, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            reason = error.description
        }
        let column = mark.map { ", column \($0.column)" } ?? ""
        log.add(
            .error, line: mark?.line, rule: "cannot be parsed\(column): \(reason)", remedy: remedy)
    }

    private static func place(of offset: Int, in text: String) -> (line: Int, column: Int) {
        var (line, column) = (1, 1)
        for character in text.prefix(offset) {
            if character.isNewline { (line, column) = (line + 1, 1) } else { column += 1 }
        }
        return (line, column)
    }
}
