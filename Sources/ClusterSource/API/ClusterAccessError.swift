/// Why it could not be found out how to reach a cluster, and what to do about it.
package struct ClusterAccessError: Error, Sendable, Equatable {
    /// The file it is about; `nil` if it is not about one.
    package var file: String?
    /// The context of that file that was to be used.
    package var context: String?
    /// The place in the file, such as `users[admin].user.exec.command`.
    package var field: String?
    /// What is wrong.
    package var problem: String
    /// What the reader can do.
    package var remedy: String

    init(
        _ problem: String, remedy: String, file: String? = nil, context: String? = nil,
        field: String? = nil
    ) {
        self.problem = problem
        self.remedy = remedy
        self.file = file
        self.context = context
        self.field = field
    }
}

extension ClusterAccessError: CustomStringConvertible {
    /// Where, what and what to do.
    package var description: String {
        var place: [String] = []
        if let file { place.append(file) }
        if let context { place.append("context \"\(context)\"") }
        if let field { place.append(field) }
        let prefix = place.isEmpty ? "" : place.joined(separator: ", ") + ": "
        return "\(prefix)\(problem); \(remedy)"
    }
}
