import Kubernetes

/// A problem as programs read it.
struct ProblemReport: Codable, Sendable, Equatable {
    var severity: String
    var file: String?
    var line: Int?
    var object: String?
    var field: String?
    var rule: String
    var remedy: String

    init(_ problem: Problem) {
        severity = problem.severity.rawValue
        file = problem.file.isEmpty ? nil : problem.file
        line = problem.line
        object = problem.object.isEmpty ? nil : problem.object
        field = problem.field.isEmpty ? nil : problem.field
        rule = problem.rule
        remedy = problem.remedy
    }

    /// One line, as the compilers of old print it.
    var text: String {
        Problem(
            Problem.Severity(rawValue: severity) ?? .error, file: file ?? "", line: line,
            object: object ?? "", field: field ?? "", rule: rule, remedy: remedy
        ).description
    }

    func styled(_ terminal: Terminal) -> String {
        let style: Terminal.Style =
            switch severity {
            case "error": .bad
            case "warning": .doubtful
            default: .faint
            }
        return text.replacingFirst(
            "\(severity):", with: terminal.styled("\(severity):", style))
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with other: String) -> String {
        guard let range = self.firstRange(of: text) else { return self }
        return replacingCharacters(in: range, with: other)
    }

    private func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
