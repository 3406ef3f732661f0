#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What became of a command.
package struct AdminAnswer: Sendable, Equatable {
    /// How it ended; the raw value is the HTTP status (RFC 9110 §15).
    package enum Outcome: UInt, Sendable {
        /// The body says what was done, or why it was not.
        case done = 200
        /// It has begun; `/state` says when it is done.
        case accepted = 202
        /// The body is not what the command takes.
        case malformed = 400
        /// Not from here.
        case forbidden = 403
        /// There is no such path, or nothing of that name.
        case unknown = 404
        /// The path is for another method.
        case wrongMethod = 405
        /// The state of things forbids it.
        case refused = 409
        /// The body is longer than any command.
        case tooLong = 413
        /// The body is not said to be JSON.
        case wrongType = 415
        /// A fault of ours.
        case failed = 500
    }

    /// What the body says when something is wrong.
    package struct Fault: Codable, Sendable, Equatable {
        /// What is wrong.
        package var error: String
        /// What the reader can do.
        package var remedy: String
    }

    /// How it ended.
    package let outcome: Outcome
    /// JSON.
    package let body: [UInt8]

    /// An answer whose body is JSON already.
    package init(_ outcome: Outcome, json body: [UInt8]) {
        self.outcome = outcome
        self.body = body
    }

    /// The command was carried out or refused; `body` is JSON and says which.
    package init(_ body: [UInt8]) { self.init(.done, json: body) }

    /// Something is wrong: `{"error": …, "remedy": …}`.
    package init(_ outcome: Outcome, error: String, remedy: String) {
        self.outcome = outcome
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            body = Array(try encoder.encode(Fault(error: error, remedy: remedy))) + [0x0a]
        } catch {
            // Two strings always encode.
            body = Array("{}".utf8)
        }
    }

    /// The command was carried out or refused; `body` is JSON and says which.
    package static func ok(_ body: [UInt8]) -> AdminAnswer { AdminAnswer(body) }

    /// The body is not what the command takes.
    package static func badRequest(_ error: String, remedy: String) -> AdminAnswer {
        AdminAnswer(.malformed, error: error, remedy: remedy)
    }

    /// There is no such command.
    package static let notFound = AdminAnswer(
        .unknown, error: "there is no such command",
        remedy: "the daemon may be of another version than the asker")
}
