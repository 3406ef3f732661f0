import Foundation
import Synchronization

/// Prints events as they come: for people a line each, in columns, or for programs an object each.
///
/// Everything that is printed is out when ``write(_:)`` returns, whatever reads it.
final class EventWriter: Sendable {
    /// Nobody reads any more.
    struct Closed: Error {}

    private struct State {
        var date = ""
        var width = 0
        var interfaceWidth = 0
        var count = 0
    }

    private let output: OutputFormat
    private let isVerbose: Bool
    private let terminal = Terminal()
    private let state = Mutex(State())

    private static let widest = 64
    private static let bytesShown = 64

    init(output: OutputFormat, isVerbose: Bool) {
        self.output = output
        self.isVerbose = isVerbose
    }

    /// How many events have been printed.
    var count: Int { state.withLock { $0.count } }

    func write(_ events: [CaptureEvent]) throws {
        guard !events.isEmpty else { return }
        try state.withLock { state in
            var text = ""
            for event in events {
                switch output {
                case .text: text += line(event, &state)
                case .json:
                    text += String(decoding: try CaptureLine(event).jsonBytes(), as: UTF8.self)
                    text += "\n"
                }
                state.count += 1
            }
            do {
                try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
            } catch {
                throw Closed()
            }
        }
    }

    private func line(_ event: CaptureEvent, _ state: inout State) -> String {
        let time = UTCTime(nanoseconds: event.nanoseconds)
        var text = ""
        if time.date != state.date {
            state.date = time.date
            text = terminal.styled("\(time.date), times in UTC", .strong) + "\n"
        }
        text += terminal.styled(time.clock, .faint)
        let place = Self.place(event)
        state.interfaceWidth = min(max(state.interfaceWidth, place.count), Self.widest)
        if state.interfaceWidth > 0 { text += " " + Self.padded(place, state.interfaceWidth) }
        text += " " + Self.padded(event.kind.rawValue, 5) + " "
        let ends = event.to.isEmpty ? event.from : "\(event.from) → \(event.to)"
        // As wide as the widest so far, so that the columns stand still soon.
        state.width = min(max(state.width, ends.count), Self.widest)
        text += Self.padded(ends, state.width) + "  "
        text += style(event).map { terminal.styled(event.text, $0) } ?? event.text
        text += "\n"
        if !event.rules.isEmpty { text += Self.dump(event.bytes) }
        if isVerbose { for detail in event.details { text += "    \(detail)\n" } }
        return text
    }

    private func style(_ event: CaptureEvent) -> Terminal.Style? {
        if !event.rules.isEmpty { return .bad }
        if case .notification = event.content { return .bad }
        return event.kind == .state || event.kind == .tcp ? .doubtful : nil
    }

    private static func place(_ event: CaptureEvent) -> String {
        (event.interface ?? "") + event.vlans.map { ".\($0)" }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// The bytes in rows of 32, and how many more there are.
    private static func dump(_ bytes: [UInt8]) -> String {
        var text = ""
        let shown = bytes.prefix(bytesShown)
        for start in stride(from: 0, to: shown.count, by: 32) {
            let row = shown[start..<min(start + 32, shown.count)]
            text += "    \(row.map { [$0].hexadecimal }.joined(separator: " "))\n"
        }
        if bytes.count > bytesShown { text += "    and \(bytes.count - bytesShown) bytes more\n" }
        return text
    }
}

extension CaptureDecoder.Counts {
    /// What was not printed, in one line for standard error.
    func summary(events: Int) -> String {
        var parts = ["\(Self.count(frames, "frame"))", "\(Self.count(events, "event"))"]
        if quietBFD > 0 {
            parts.append("\(Self.count(quietBFD, "BFD packet")) without news (-v shows them)")
        }
        if fragments > 0 { parts.append("\(Self.count(fragments, "fragment")) passed over") }
        if others > 0 { parts.append("\(others) of other protocols") }
        if forgotten > 0 { parts.append("\(Self.count(forgotten, "connection")) made room") }
        return parts.joined(separator: ", ")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
