import Foundation
import Testing

@testable import SealedDatagrams

@Suite struct KeyRingTests {
    private static let long = Data(repeating: 1, count: 32).base64EncodedString()
    private static let short = Data(repeating: 2, count: 16).base64EncodedString()

    private func ring(_ text: String) throws -> KeyRing {
        try KeyRing(text: Array(text.utf8), path: "gossip.key")
    }

    private func inFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder.path)
    }

    @Test("keys of both lengths, comments, blank lines and either line end are read in order")
    func reading() throws {
        let read = try ring("# ours\n\n \(Self.short)\t# old\r\n\(Self.long)\r\n")
        #expect(read.keys.map(\.base64) == [Self.short, Self.long])
        #expect(read.isSealing)
        #expect(!KeyRing.none.isSealing)
    }

    @Test(
        "a fault names the file, the line, the rule and the way out",
        arguments: [
            ("\(long)\nsecret\n", 2, "not a key"),
            ("\(Data(repeating: 1, count: 24).base64EncodedString())\n", 1, "not a key"),
            ("\(short)\n\n\(short)\n", 3, "same key as on line 1"),
        ])
    func faults(text: String, line: Int, words: String) {
        let fault = #expect(throws: KeyFileFault.self) { try ring(text) }
        #expect(fault?.line == line)
        #expect(fault?.description.contains("gossip.key, line \(line)") == true)
        #expect(fault?.description.contains(words) == true)
        #expect(fault?.description.contains("secret") == false)
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test("a file without keys, or with more than 16, is refused")
    func numbers() throws {
        let empty = #expect(throws: KeyFileFault.self) { try ring("# nothing\n") }
        #expect(empty?.rule == .empty)
        let many = (0..<17).map { Data(repeating: $0, count: 16).base64EncodedString() + "\n" }
        let full = #expect(throws: KeyFileFault.self) { try ring(many.joined()) }
        #expect(full?.rule == .tooMany)
        #expect(try ring(many.dropLast().joined()).keys.count == 16)
    }

    @Test("a new file has one key of 32 bytes, another each time")
    func generating() throws {
        let (one, other) = (try ring(KeyRing.generate()), try ring(KeyRing.generate()))
        #expect(one.keys.count == 1 && one != other)
        #expect(Data(base64Encoded: one.keys[0].base64)?.count == 32)
    }

    @Test("a missing file is made for its owner alone, and read the next time")
    func making() throws {
        try inFolder { folder in
            let path = folder + "/gossip.key"
            let made = try KeyRing.load(orMakeAt: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try KeyRing.load(orMakeAt: path) == made)
            #expect(try KeyRing.load(path) == made)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["gossip.key"])
        }
    }

    @Test("many that make the file at once all have the same key")
    func makingAtOnce() async throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path + "/gossip.key"
        let rings = try await withThrowingTaskGroup(of: KeyRing.self) { group in
            for _ in 0..<16 { group.addTask { try KeyRing.load(orMakeAt: path) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(rings.count == 16)
        #expect(rings.allSatisfy { $0 == rings[0] })
    }

    @Test("a file that others may read or write is refused; one of its group is not")
    func permissions() throws {
        try inFolder { folder in
            let path = folder + "/gossip.key"
            let made = try KeyRing.load(orMakeAt: path)
            for mode in [0o604, 0o602, 0o644] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
                let fault = #expect(throws: KeyFileFault.self) {
                    try KeyRing.load(orMakeAt: path)
                }
                #expect(fault?.description.contains("mode 0\(String(mode, radix: 8))") == true)
                #expect(fault?.remedy.contains("chmod") == true)
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o440], ofItemAtPath: path)
            #expect(try KeyRing.load(path) == made)
        }
    }

    @Test("a place where no file can be made is named, with the reason")
    func noPlace() throws {
        let fault = #expect(throws: KeyFileFault.self) {
            try KeyRing.load(orMakeAt: "/nonexistent/gossip.key")
        }
        #expect(fault?.description.contains("/nonexistent/gossip.key") == true)
        let missing = #expect(throws: KeyFileFault.self) { try KeyRing.load("/nonexistent/key") }
        #expect(missing?.remedy.contains("copy it") == true)
    }
}
