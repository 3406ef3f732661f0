import Foundation

/// Where a folder is, and what its files are called.
struct FolderLocation: Sendable {
    /// As the user wrote it, without a slash at the end: what messages show.
    let given: String
    /// From the root: what system calls get, wherever the process goes.
    let absolute: String

    /// A folder as a user names it.
    init(_ path: String) {
        var given = path.isEmpty ? "." : path
        while given.count > 1, given.hasSuffix("/") { given.removeLast() }
        self.given = given
        let current = FileManager.default.currentDirectoryPath
        absolute = given.hasPrefix("/") ? given : (current == "/" ? "/" : current + "/") + given
    }

    /// The folder that holds this one, and the name there; `nil` where the name says neither.
    var parent: (folder: String, name: String)? {
        guard let slash = absolute.lastIndex(of: "/") else { return nil }
        let name = String(absolute[absolute.index(after: slash)...])
        guard !name.isEmpty, name != ".", name != ".." else { return nil }
        return (slash == absolute.startIndex ? "/" : String(absolute[..<slash]), name)
    }

    /// The path of a file below the folder, for system calls.
    func path(of relative: String) -> String {
        relative.isEmpty ? absolute : absolute + "/" + relative
    }

    /// The same for messages.
    func name(of relative: String) -> String { given == "." ? relative : given + "/" + relative }

    /// Whether a file of this name is read: a manifest by its ending, neither hidden nor left over
    /// by an editor (`.web.yaml.swp`, `#web.yaml#`, `.#web.yaml`, `web.yaml~`, `4913`).
    static func isManifest(_ name: String) -> Bool {
        !name.hasPrefix(".") && !name.hasPrefix("#")
            && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }
}
