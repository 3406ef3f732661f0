/// Where a thread's sockets put what they receive: 64 KiB, used again for every call.
@safe package final class StreamBuffer {
    /// The most bytes of one call.
    package static let capacity = 1 << 16

    // Owned: plain memory, because what the kernel writes needs no initial value.
    let start: UnsafeMutablePointer<UInt8>

    /// Makes a buffer.
    package init() { unsafe start = .allocate(capacity: Self.capacity) }

    deinit { unsafe start.deallocate() }
}
