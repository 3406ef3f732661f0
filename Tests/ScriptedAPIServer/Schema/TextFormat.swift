import Glibc

/// The string formats that schemas name.
enum TextFormat {
    static func holds(_ text: String, _ format: String) -> Bool {
        switch format {
        case "date-time": isTime(text)
        case "ipv4": isAddress(text, family: AF_INET)
        case "ipv6": isAddress(text, family: AF_INET6)
        case "cidr": isPrefix(text)
        case "byte": isBase64(text)
        case "duration": text.firstMatch(of: /^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$/) != nil
        case "uuid":
            text.firstMatch(of: /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/) != nil
        default: true
        }
    }

    /// Date and time of RFC 3339, section 5.6; asked for every condition of every write.
    static func isTime(_ text: String) -> Bool {
        var rest = Substring(text)
        guard take(&rest, "0000-00-00T00:00:00") else { return false }
        if rest.first == "." {
            rest.removeFirst()
            let digits = rest.prefix(while: isDigit)
            guard !digits.isEmpty else { return false }
            rest.removeFirst(digits.count)
        }
        if rest == "Z" { return true }
        guard rest.first == "+" || rest.first == "-" else { return false }
        rest.removeFirst()
        return take(&rest, "00:00") && rest.isEmpty
    }

    /// Takes off what has the shape of a pattern, in which `0` stands for any digit.
    private static func take(_ rest: inout Substring, _ pattern: String) -> Bool {
        for wanted in pattern {
            guard let next = rest.popFirst(), wanted == "0" ? isDigit(next) : next == wanted else {
                return false
            }
        }
        return true
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    static func isAddress(_ text: String) -> Bool {
        isAddress(text, family: AF_INET) || isAddress(text, family: AF_INET6)
    }

    static func isAddress(_ text: String, family: Int32) -> Bool {
        var storage = in6_addr()
        return inet_pton(family, text, &storage) == 1
    }

    static func isPrefix(_ text: String) -> Bool {
        let pieces = text.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count == 2, let length = Int(pieces[1]) else { return false }
        let address = String(pieces[0])
        if isAddress(address, family: AF_INET) { return (0...32).contains(length) }
        return isAddress(address, family: AF_INET6) && (0...128).contains(length)
    }

    static func isBase64(_ text: String) -> Bool {
        text.utf8.count % 4 == 0
            && text.firstMatch(of: /^[A-Za-z0-9+\/]*={0,2}$/) != nil
    }
}
