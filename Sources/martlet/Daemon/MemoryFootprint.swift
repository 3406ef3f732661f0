import LinuxNetwork
import NIOCore
import NIOPosix

/// Keeps a daemon small: one event loop is enough for an admin server, and the allocator's habit of
/// one arena a thread would keep what each thread once needed.
enum MemoryFootprint {
    /// Call once, before anything else runs.
    static func prepare() {
        NIOSingletons.groupLoopCountSuggestion = 1
        NIOSingletons.blockingPoolThreadCountSuggestion = 1
        ProcessMemory.limitArenas()
    }
}
