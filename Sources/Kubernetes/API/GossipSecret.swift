/// The Secret with the keys that the speakers' gossip is sealed with; the controller makes it
/// where it is missing.
public enum GossipSecret {
    /// Its name.
    public static let name = "martlet-gossip"
    /// The key in `data` that holds the text of the key file.
    public static let key = "gossip.keys"

    /// The body to create it with.
    public static func body(namespace: String, keys: [UInt8]) -> [UInt8] {
        JSONWriter.object { secret in
            secret.member("apiVersion", "v1")
            secret.member("kind", "Secret")
            secret.member("metadata") { metadata in
                metadata.member("name", name)
                metadata.member("namespace", namespace)
                metadata.member("labels") { $0.member("app.kubernetes.io/managed-by", "martlet") }
            }
            secret.member("type", "Opaque")
            secret.member("data") { $0.member(key, base64(keys)) }
        }
    }

    /// RFC 4648 §4, with padding.
    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let chunk = bytes[start..<min(start + 3, bytes.count)]
            let bits = chunk.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - chunk.count))
            for place in 0..<4 {
                text.append(
                    place > chunk.count
                        ? UInt8(ascii: "=") : letters[bits >> (18 - 6 * place) & 0x3f])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
