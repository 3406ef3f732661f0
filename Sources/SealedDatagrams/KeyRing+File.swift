import LinuxNetwork

extension KeyRing {
    /// Reads a key file, which no other users may open; its group may, because a Secret mounted
    /// into a pod is given to one.
    package static func load(_ path: String) throws(KeyFileFault) -> KeyRing {
        guard let ring = try read(path) else {
            throw KeyFileFault(
                path: path, line: nil,
                rule: .inaccessible(
                    reason: "there is no such file",
                    remedy: "copy it from another node of the cluster"))
        }
        return ring
    }

    /// Reads a key file, and makes one with a new key, mode 0600, where there is none. Processes
    /// that do so at once end up with the same key.
    package static func load(orMakeAt path: String) throws(KeyFileFault) -> KeyRing {
        if let ring = try read(path) { return ring }
        do {
            // False when another process was faster: then its key is the key.
            _ = try DurableFile.make(path, with: Array(generate().utf8))
        } catch {
            throw KeyFileFault(error, path: path)
        }
        return try load(path)
    }

    private static func read(_ path: String) throws(KeyFileFault) -> KeyRing? {
        let content: (bytes: [UInt8], identity: FileIdentity)?
        do {
            content = try DurableFile.read(path, limit: maximumFileSize)
        } catch {
            throw KeyFileFault(error, path: path)
        }
        guard let content else { return nil }
        let permissions = content.identity.permissions
        guard permissions & 0o007 == 0 else {
            throw KeyFileFault(path: path, line: nil, rule: .exposed(permissions: permissions))
        }
        return try KeyRing(text: content.bytes, path: path)
    }
}

extension KeyFileFault {
    fileprivate init(_ error: SystemError, path: String) {
        self.init(
            path: path, line: nil,
            rule: .inaccessible(reason: error.fileReason, remedy: error.fileRemedy))
    }
}
