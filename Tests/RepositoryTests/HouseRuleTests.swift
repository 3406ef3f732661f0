import Foundation
import Testing

@Suite struct HouseRuleTests {
    @Test("the top level holds what it may hold and nothing else")
    func topLevel() throws {
        let allowed: Set = ["Package.swift", "Sources", "Tests", "deploy", "Docs", "README.md"]
        let top = Set(try Repository().files.map { String($0.split(separator: "/")[0]) })
        #expect(top.filter { !$0.hasPrefix(".") } == allowed)
    }

    @Test("no Swift file is longer than 500 lines, no line longer than 100 columns")
    func fileSize() throws {
        let repository = try Repository()
        for file in repository.swiftFiles(under: "Sources", "Tests") {
            let lines = try repository.lines(file)
            #expect(lines.count <= 501, "\(file) has \(lines.count) lines")
            for line in lines where line.text.count > 100 {
                Issue.record("\(file):\(line.number) has \(line.text.count) columns")
            }
        }
    }

    @Test("nothing is left open and nothing traps by design")
    func leftovers() throws {
        let repository = try Repository()
        let banned = [
            "TO" + "DO", "FIX" + "ME", "XX" + "X", "fatal" + "Error(", "try" + "!",
            "not yet " + "implemented", "un" + "implemented",
        ]
        for file in repository.files
        where ["Sources/", "Tests/", "deploy/"].contains(where: { file.hasPrefix($0) }) {
            guard let text = try? repository.text(file) else { continue }  // binary fixtures
            for word in banned where text.contains(word) {
                Issue.record("\(file) contains \(word)")
            }
        }
        #expect(banned.count == 7)
    }

    @Test("every try? says why the error does not matter")
    func explainedTry() throws {
        let repository = try Repository()
        for file in repository.swiftFiles(under: "Sources") {
            let lines = try repository.lines(file)
            for (index, line) in lines.enumerated()
            where line.text.contains(/\btry\?/) {
                let nearby = lines[max(0, index - 3)...index]
                #expect(
                    nearby.contains { $0.text.contains("//") },
                    "\(file):\(line.number) has a try? without a reason")
            }
        }
    }

    @Test("names say what a thing is")
    func names() throws {
        let vague = ["Utils", "Utility", "Common", "Helpers", "Helper", "Manager", "Base", "New"]
        for file in try Repository().swiftFiles(under: "Sources", "Tests") {
            let name = String(file.split(separator: "/").last?.dropLast(6) ?? "")
            for word in vague {
                #expect(
                    !(name == word || name.hasSuffix(word) || name.hasPrefix(word + "+")),
                    "\(file) is named \(word)")
            }
        }
    }

    @Test("no type shares its module's name")
    func typeNames() throws {
        let repository = try Repository()
        for module in RingTests.rings.keys {
            let declaration = try Regex(#"\b(struct|enum|class|actor|protocol) "# + module + #"\b"#)
            for file in repository.swiftFiles(under: "Sources/\(module)") {
                #expect(try repository.text(file).firstMatch(of: declaration) == nil, "\(file)")
            }
        }
    }

    @Test("files and folders that the documents name exist")
    func documentedFiles() throws {
        let repository = try Repository()
        let reference = try Regex(
            #"`((?:Sources|Tests|deploy|Docs)/[A-Za-z0-9_./+-]+)`|\]\(([^):#]+)\)"#)
        let documents = repository.files.filter { $0.hasSuffix(".md") }
        #expect(documents.contains("README.md"))
        for document in documents {
            let folder = repository.root.appending(path: document).deletingLastPathComponent()
            for match in try repository.text(document).matches(of: reference) {
                let place: URL
                if let path = match.output[1].substring {
                    place = repository.root.appending(path: String(path))
                } else if let link = match.output[2].substring, !link.hasPrefix("http") {
                    place = folder.appending(path: String(link))
                } else {
                    continue
                }
                #expect(
                    FileManager.default.fileExists(atPath: place.path),
                    "\(document) names \(place.path), which is not there")
            }
        }
    }

    @Test("traffic goes to documentation addresses only")
    func documentationAddresses() throws {
        let repository = try Repository()
        let private4 = try Regex(
            #"(^|[^0-9.])(10\.\d+|172\.(1[6-9]|2\d|3[01])|192\.168)\.\d+\.\d+"#)
        for file in repository.files
        where file.hasSuffix(".sh") || file.hasPrefix("deploy/demo/")
            || file.hasPrefix("Tests/InteropTests/") || file.hasPrefix("Tests/Benchmarks/")
        {
            for line in try repository.lines(file) {
                #expect(line.text.firstMatch(of: private4) == nil, "\(file):\(line.number)")
            }
        }
    }
}
