import Yams

extension DocumentNode {
    /// A value that the YAML parser made; the parser bounds its depth.
    init(_ node: Yams.Node) {
        switch node {
        case .scalar(let scalar): self = .scalar(Scalar(scalar))
        case .sequence(let sequence):
            self = .sequence(
                Sequence(
                    elements: sequence.map { DocumentNode($0) }, line: sequence.mark?.line))
        case .mapping(let mapping):
            var fields: [Field] = []
            fields.reserveCapacity(mapping.count)
            for index in mapping.indices {
                let (key, value) = mapping[index]
                fields.append(
                    Field(
                        key: key.scalar.map { Scalar($0, isKey: true) }, line: key.mark?.line,
                        value: DocumentNode(value)))
            }
            self = .mapping(Mapping(fields: fields, line: mapping.mark?.line))
        case .alias(let alias):
            // The parser puts what they stand for in their stead.
            self = .scalar(Scalar("", .plain, line: alias.mark?.line))
        }
    }
}

extension DocumentNode.Scalar {
    /// The parser has looked up the tags of keys, to find those given twice, and by that marked all
    /// of them as text; of a key the quotes alone tell.
    fileprivate init(_ scalar: Yams.Node.Scalar, isKey: Bool = false) {
        let style: Style
        switch scalar.style {
        case .literal, .folded: style = .block
        case .singleQuoted, .doubleQuoted: style = .quoted
        case .plain, .any:
            let isMarked = !isKey && scalar.tag.description == Tag.Name.str.rawValue
            style = isMarked ? .quoted : .plain
        }
        self.init(scalar.string, style, line: scalar.mark?.line)
    }
}
