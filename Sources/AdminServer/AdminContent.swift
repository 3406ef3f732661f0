/// What the admin server shows; every call answers from values that are ready, it never waits for
/// the network.
package protocol AdminContent: Sendable {
    /// `nil` when every thread is at work, else what is wrong.
    func unhealthy() async -> String?
    /// `nil` when the daemon does its job, else what it is waiting for.
    func unready() async -> String?
    /// The metrics.
    func metrics() async -> [MetricFamily]
    /// The whole state as JSON.
    func state() async throws -> [UInt8]
    /// The explanation of a Service or an address as JSON; `nil` when neither is known.
    func explanation(of subject: String) async throws -> [UInt8]?
    /// Carries out the command at `path` (with its slash: `/drain`), or answers
    /// ``AdminAnswer/notFound``. The body is a JSON object, `{}` where none was sent, of at most
    /// 64 KiB; its members are not checked. An error that is thrown is answered as a fault of ours.
    func command(_ path: String, body: [UInt8]) async throws -> AdminAnswer
}

extension AdminContent {
    /// None is known: the server only shows.
    package func command(_ path: String, body: [UInt8]) async throws -> AdminAnswer { .notFound }
}
