import Glibc
import NetworkTypes

/// What the kernel says about an interface that BFD runs on.
package enum BFDInterface {
    /// The index of the interface called `name` now; `nil` when there is none.
    package static func index(of name: String?) -> Int? {
        guard let name else { return nil }
        let index = unsafe name.withCString { unsafe if_nametoindex($0) }
        return index == 0 ? nil : Int(index)
    }

    /// Whether the kernel forwards packets of the family that come in on the interface called
    /// `name`: that is what sends a peer's echo packets back. False when it cannot be read.
    package static func forwards(_ family: IPAddress.Family, on name: String) -> Bool {
        // A name that is a path is none of an interface.
        guard !name.contains("/"), name != ".." else { return false }
        let path = "/proc/sys/net/ipv\(family.rawValue)/conf/\(name)/forwarding"
        let descriptor = unsafe path.withCString { unsafe open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var digit: UInt8 = 0
        return unsafe read(descriptor, &digit, 1) == 1 && digit != UInt8(ascii: "0")
    }
}
