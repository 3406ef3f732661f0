import LinuxNetwork
import Testing

@Suite struct OpenFileLimitTests {
    @Test("the limit is raised as far as it may be, 65,536 at most, and never lowered")
    func raise() throws {
        let before = try OpenFileLimit.values()
        try OpenFileLimit.raise()
        let after = try OpenFileLimit.values()
        #expect(after.maximum == before.maximum)
        #expect(after.current == max(before.current, min(before.maximum, OpenFileLimit.most)))
    }
}
