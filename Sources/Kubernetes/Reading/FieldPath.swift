/// Where a field stands in its object. Put into words only when a message needs it: most paths are
/// never shown.
indirect enum FieldPath {
    /// The object itself (empty), or a path already in words.
    case text(String)
    case field(FieldPath, String)
    case element(FieldPath, Int)

    /// Such as `spec.ports[0].nodePort`.
    var description: String {
        switch self {
        case .text(let text): return text
        case .element(let list, let index): return "\(list.description)[\(index)]"
        case .field(let mapping, let key):
            let path = mapping.description
            let name = FieldValue.clip(key)
            // A key with dots of its own (an annotation) is set apart, as kubectl's paths do.
            if key.contains(".") || key.contains("/") { return "\(path)[\(name)]" }
            return path.isEmpty ? name : "\(path).\(name)"
        }
    }
}
