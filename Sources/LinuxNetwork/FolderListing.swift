import Glibc

/// The names in a folder.
package enum FolderListing {
    /// The names in a folder but `.` and `..`, in order. At most `limit` of them.
    package static func names(
        in path: String, limit: Int = 1_000_000
    ) throws(SystemError) -> [String] {
        guard let folder = unsafe opendir(path) else {
            throw SystemError("opendir", errno: errno, subject: path)
        }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while names.count < limit {
            errno = 0
            guard let entry = unsafe readdir(folder) else {
                guard errno == 0 else {
                    throw SystemError("readdir", errno: errno, subject: path)
                }
                break
            }
            // The kernel ends every name with a zero inside the record.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    unsafe String(cString: text)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
