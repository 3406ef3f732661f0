import Glibc

/// How many descriptors this process may have open.
package enum OpenFileLimit {
    /// More is not asked for: programs that this process starts inherit it, and some walk through
    /// all numbers up to the limit.
    package static let most: UInt64 = 65_536

    /// What is in force, and up to where it may be raised without a privilege.
    package struct Values: Equatable, Sendable {
        package var current: UInt64
        package var maximum: UInt64
    }

    /// What holds now.
    package static func values() throws(SystemError) -> Values {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else {
            throw SystemError("getrlimit", errno: errno, subject: "open files")
        }
        return Values(current: UInt64(limit.rlim_cur), maximum: UInt64(limit.rlim_max))
    }

    /// Raises the limit to what is allowed, ``most`` at most; what is more already stays. The usual
    /// 1,024 are a default for programs that wait by `select(2)`.
    package static func raise() throws(SystemError) {
        let values = try values()
        let wanted = min(values.maximum, most)
        guard values.current < wanted else { return }
        var limit = rlimit()
        limit.rlim_cur = rlim_t(wanted)
        limit.rlim_max = rlim_t(values.maximum)
        guard unsafe setrlimit(resource, &limit) == 0 else {
            throw SystemError("setrlimit", errno: errno, subject: "\(wanted) open files")
        }
    }

    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
}
