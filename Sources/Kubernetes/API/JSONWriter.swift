/// Compact JSON text in the making (RFC 8259), for the bodies of requests.
///
/// Commas are the writer's business; that every name has its value is the caller's.
public struct JSONWriter: Sendable {
    /// The text so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty text.
    public init() {}

    /// The text of one object that `fill` writes the members of.
    public static func object(_ fill: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(fill)
        return writer.bytes
    }

    /// Writes an object whose members `fill` writes.
    public mutating func object(_ fill: (inout JSONWriter) -> Void) {
        enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), fill)
    }

    /// Writes an array of one element for each of `elements`.
    public mutating func array<Elements: Sequence>(
        _ elements: Elements, _ element: (inout JSONWriter, Elements.Element) -> Void
    ) {
        enclosed(UInt8(ascii: "["), UInt8(ascii: "]")) { writer in
            for value in elements { element(&writer, value) }
        }
    }

    /// Writes a member's name; its value comes next.
    public mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a member that is an object.
    public mutating func member(_ name: String, _ fill: (inout JSONWriter) -> Void) {
        self.name(name)
        object(fill)
    }

    /// Writes a member that is a string.
    public mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// Writes a member that is a number.
    public mutating func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        number(value)
    }

    /// Writes a member that is an array of strings.
    public mutating func member(_ name: String, _ values: some Sequence<String>) {
        self.name(name)
        array(values) { $0.string($1) }
    }

    /// Writes a member that is null.
    public mutating func memberIsNull(_ name: String) {
        self.name(name)
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes a string.
    public mutating func string(_ text: String) {
        separate()
        JSONDocument.append(string: text, to: &bytes)
    }

    /// Writes a number.
    public mutating func number(_ value: some BinaryInteger) {
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func enclosed(
        _ opening: UInt8, _ closing: UInt8, _ fill: (inout JSONWriter) -> Void
    ) {
        separate()
        bytes.append(opening)
        needsComma = false
        fill(&self)
        bytes.append(closing)
        needsComma = true
    }
}
