import Foundation

/// The work tree, as git lists it: tracked files and new ones that are not ignored.
struct Repository {
    let root: URL
    let files: [String]

    init() throws {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = [
            "git", "-c", "safe.directory=*", "-C", root.path, "ls-files", "-z", "--cached",
            "--others", "--exclude-standard",
        ]
        let pipe = Pipe()
        git.standardOutput = pipe
        try git.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { throw GitFailed(status: git.terminationStatus) }
        files = String(decoding: output, as: UTF8.self).split(separator: "\0").map(String.init)
            .filter { [root] file in
                let place = root.appending(path: file).resolvingSymlinksInPath()
                let values = try? place.resourceValues(forKeys: [.isRegularFileKey])
                return values?.isRegularFile == true
            }
    }

    struct GitFailed: Error {
        let status: Int32
    }

    /// Swift files under a folder.
    func swiftFiles(under folders: String...) -> [String] {
        files.filter { file in
            file.hasSuffix(".swift") && folders.contains { file.hasPrefix($0 + "/") }
        }
    }

    func text(_ file: String) throws -> String {
        try String(contentsOf: root.appending(path: file), encoding: .utf8)
    }

    /// Lines of a file with their numbers, from 1.
    func lines(_ file: String) throws -> [(number: Int, text: Substring)] {
        try text(file).split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
            ($0.offset + 1, $0.element)
        }
    }
}
