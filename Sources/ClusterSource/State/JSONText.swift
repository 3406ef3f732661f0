import FoundationEssentials
import Kubernetes

/// JSON text in the making, for the file that is written most and read by people: one line an
/// entry, which the general encoder cannot do, and at a small part of its cost.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    /// Appends text as it is.
    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends a string in quotes (RFC 8259 §7).
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                raw("\\u00" + (digits.utf8.count == 1 ? "0" : "") + digits)
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a point in time, in quotes, to the second.
    mutating func date(_ date: Date) { string(date.formatted(.iso8601)) }

    /// Why a text could not be decoded, in a few words.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it is not JSON" }
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let path = context.codingPath + [key]
            return "\(path.map(\.stringValue).joined(separator: ".")) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "\(place(context)) has the wrong type"
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "it is not JSON, or cut short" : "\(place(context)) cannot be read"
        @unknown default:
            return "it is not JSON"
        }
    }

    /// Reads `namespace/name`.
    static func objectName(_ text: String) -> ObjectName? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return ObjectName(namespace: String(parts[0]), String(parts[1]))
    }
}
