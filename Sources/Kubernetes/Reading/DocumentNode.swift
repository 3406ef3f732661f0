/// One value of a document, YAML or JSON, with what its place in the text says of it.
///
/// The YAML parser's own nodes carry tags, marks and anchors that nobody asks for, and are dear to
/// copy; objects by the ten thousand are read from these.
enum DocumentNode: Sendable {
    case scalar(Scalar)
    case sequence(Sequence)
    case mapping(Mapping)

    /// A text, number, boolean or null, as written.
    struct Scalar: Sendable {
        /// How it is written.
        enum Style: Sendable {
            /// As it is; what it stands for is told from the text (``ScalarKind``).
            case plain
            /// In quotes, or marked as text: it is a text, whatever it looks like.
            case quoted
            /// A text on lines of its own.
            case block
        }

        var string: String
        var style: Style
        private let place: Int32

        /// Line within the document, from 1; `nil` for JSON.
        var line: Int? { place > 0 ? Int(place) : nil }

        init(_ string: String, _ style: Style, line: Int? = nil) {
            self.string = string
            self.style = style
            place = Int32(clamping: line ?? 0)
        }
    }

    /// A list.
    struct Sequence: Sendable {
        var elements: [DocumentNode]
        var line: Int?
    }

    /// Fields in the order written.
    struct Mapping: Sendable {
        var fields: [Field]
        var line: Int?
    }

    /// A field of a mapping.
    struct Field: Sendable {
        /// `nil` when a list or a mapping stands where a name should.
        var key: Scalar?
        /// Line of the key.
        var line: Int?
        var value: DocumentNode

        init(key: Scalar?, line: Int? = nil, value: DocumentNode) {
            self.key = key
            self.line = line ?? key?.line
            self.value = value
        }
    }

    /// Line within the document, from 1.
    var line: Int? {
        switch self {
        case .scalar(let scalar): scalar.line
        case .sequence(let sequence): sequence.line
        case .mapping(let mapping): mapping.line
        }
    }

    /// The scalar, if it is one.
    var scalar: Scalar? { if case .scalar(let scalar) = self { scalar } else { nil } }
}
