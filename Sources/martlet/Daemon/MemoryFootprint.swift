import ClusterSource
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

    /// Trims some seconds after the cluster has changed, when the work of it is done; a process
    /// with nothing to do is left alone. Ends with the source.
    static func keepSmall(after source: any SnapshotSource) async {
        for await _ in source.states() {
            do {
                try await Task.sleep(for: .seconds(3))
            } catch {
                return
            }
            ProcessMemory.trim()
        }
    }
}
