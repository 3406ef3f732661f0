/// One copy of texts that occur again and again: names of nodes and namespaces, keys of labels.
///
/// A fixed number of places, each of which holds the text that came last: a text that is in its
/// place costs no memory, any other is simply made. Texts of up to 15 bytes need no help, since
/// they live in the value itself.
struct StringPool {
    private static let placeCount = 1024
    private static let lengths = 16...128

    private var places: [String] = []

    /// The text of bytes that are ASCII.
    mutating func text(_ bytes: ArraySlice<UInt8>) -> String {
        guard Self.lengths.contains(bytes.count) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        if places.isEmpty { places = Array(repeating: "", count: Self.placeCount) }
        // FNV-1a; who chooses texts that meet in one place gains nothing but copies.
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let place = Int((hash ^ hash >> 16) & UInt32(Self.placeCount - 1))
        if places[place].utf8.count == bytes.count, places[place].utf8.elementsEqual(bytes) {
            return places[place]
        }
        let text = String(decoding: bytes, as: UTF8.self)
        places[place] = text
        return text
    }
}
