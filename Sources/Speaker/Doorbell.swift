/// A sign that something is to be done, remembered once however often it is given. One task waits
/// for it.
struct Doorbell: Sendable {
    /// One element for each time that somebody rang since the last look.
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Gives the sign.
    func ring() { continuation.yield() }
}
