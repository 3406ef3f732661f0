import Testing

@testable import ScriptedAPIServer

@Suite struct TextFormatTests {
    @Test(
        "times of RFC 3339 are times",
        arguments: [
            "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.123456Z", "2026-01-31T23:59:59+02:00",
            "2026-01-31T23:59:59.5-11:30",
        ])
    func times(_ text: String) {
        #expect(TextFormat.holds(text, "date-time"))
    }

    @Test(
        "what is nearly one is none",
        arguments: [
            "", "2026-01-31", "2026-01-31 23:59:59Z", "2026-01-31T23:59:59",
            "2026-01-31T23:59:59.Z",
            "2026-01-31T23:59:59z", "2026-01-31T23:59:59Z ", "2026-01-31T23:59:59+0200",
            "2026-1-31T23:59:59Z", "2026-01-31T23:59:59+02:00Z", "٢٠٢٦-01-31T23:59:59Z",
        ])
    func others(_ text: String) {
        #expect(!TextFormat.holds(text, "date-time"))
    }
}
