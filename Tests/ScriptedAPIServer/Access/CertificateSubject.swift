import NIOSSL

/// Whom a client certificate names: the common name is the user, organizations are the groups.
enum CertificateSubject {
    static func user(of certificate: NIOSSLCertificate) -> ServerUser? {
        guard let bytes = try? certificate.toDERBytes() else { return nil }
        var certificate = DER(bytes[...])
        guard var whole = certificate.next(), var body = whole.inner.next() else { return nil }
        // version (tagged 0), serial number, algorithm, issuer, validity, subject
        guard var field = body.inner.next() else { return nil }
        if field.tag == 0xA0, let serial = body.inner.next() { field = serial }
        guard body.inner.next() != nil, body.inner.next() != nil, body.inner.next() != nil,
            var subject = body.inner.next()
        else { return nil }
        var name = ""
        var groups = ["system:authenticated"]
        while var set = subject.inner.next() {
            guard var pair = set.inner.next(), let kind = pair.inner.next(),
                let value = pair.inner.next()
            else { continue }
            let text = String(decoding: value.bytes, as: UTF8.self)
            switch Array(kind.bytes) {
            case [0x55, 0x04, 0x03]: name = text
            case [0x55, 0x04, 0x0A]: groups.append(text)
            default: break
            }
        }
        return name.isEmpty ? nil : ServerUser(name: name, groups: groups)
    }

    /// Values of the distinguished encoding rules, one after the other.
    private struct DER {
        struct Value {
            var tag: UInt8
            var bytes: ArraySlice<UInt8>
            var inner: DER
        }

        private var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        mutating func next() -> Value? {
            guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
            var length = Int(first)
            if first & 0x80 != 0 {
                length = 0
                for _ in 0..<min(4, first & 0x7F) {
                    guard let byte = rest.popFirst() else { return nil }
                    length = length << 8 | Int(byte)
                }
            }
            guard length <= rest.count else { return nil }
            let bytes = rest.prefix(length)
            rest = rest.dropFirst(length)
            return Value(tag: tag, bytes: bytes, inner: DER(bytes))
        }
    }
}
