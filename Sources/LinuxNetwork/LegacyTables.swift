import Glibc
import NetworkTypes

/// The tables of iptables' older kernel interface (`ip_tables`, `ip6_tables`), as far as it is to
/// be known whether a chain is there.
enum LegacyTables {
    /// `IPT_SO_GET_INFO`, `IPT_SO_GET_ENTRIES`; those of IPv6 are the same.
    private static let getInfo: Int32 = 64
    private static let getEntries: Int32 = 65

    /// `XT_TABLE_MAXNAMELEN`, and where the fields are that follow the name.
    private static let nameLength = 32
    private static let infoLength = 84
    private static let infoSizeOffset = 80
    private static let entriesOffset = 40

    /// A table beyond this is not read.
    private static let maximumLength = 32 << 20

    /// Whether a table has a chain of that name. A table that is not in use is not asked for:
    /// asking would make the kernel load it.
    static func hasChain(
        _ chain: String, inTable table: String, of family: IPAddress.Family
    ) -> Bool {
        let list = family == .ipv4 ? "ip_tables_names" : "ip6_tables_names"
        let names = ProxyFacts.text("/proc/thread-self/net/\(list)") ?? ""
        guard names.split(separator: "\n").contains(table[...]) else { return false }
        guard let entries = entries(of: table, family) else { return false }
        // The name of a chain stands in the entry that begins it, with a zero at its end.
        return contains(entries, Array(chain.utf8) + [0])
    }

    private static func entries(of table: String, _ family: IPAddress.Family) -> [UInt8]? {
        let isIPv4 = family == .ipv4
        let descriptor = socket(
            isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let level = Int32(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6)
        let name = Array(table.utf8.prefix(nameLength - 1))
        var info = name + [UInt8](repeating: 0, count: infoLength - name.count)
        guard option(descriptor, level, getInfo, &info),
            let size = info.span.hostInteger(UInt32.self, at: infoSizeOffset),
            size <= maximumLength
        else { return nil }
        var entries = [UInt8](repeating: 0, count: entriesOffset + Int(size))
        entries.replaceSubrange(..<name.count, with: name)
        entries.replaceSubrange(nameLength..<(nameLength + 4), with: size.hostBytes)
        // A table that grew meanwhile is refused, and looked at the next time.
        guard option(descriptor, level, getEntries, &entries) else { return nil }
        return entries
    }

    private static func option(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ bytes: inout [UInt8]
    ) -> Bool {
        var length = socklen_t(bytes.count)
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe getsockopt(descriptor, level, name, buffer.baseAddress, &length) == 0
        }
    }

    static func contains(_ bytes: [UInt8], _ pattern: [UInt8]) -> Bool {
        guard let first = pattern.first, bytes.count >= pattern.count else { return false }
        let last = bytes.count - pattern.count
        var index = 0
        while index <= last, let start = bytes[index...last].firstIndex(of: first) {
            if bytes[start..<(start + pattern.count)].elementsEqual(pattern) { return true }
            index = start + 1
        }
        return false
    }
}
