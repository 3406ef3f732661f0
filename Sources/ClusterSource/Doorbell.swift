/// A sign that something is to be done, remembered once however often it is given. One task waits
/// for it.
package struct Doorbell: Sendable {
    /// One element for each time that somebody rang since the last look.
    package let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// A doorbell that nobody rang yet.
    package init() {
        (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Gives the sign.
    package func ring() { continuation.yield() }
}
