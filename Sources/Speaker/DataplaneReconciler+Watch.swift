import Dataplane
import Glibc
import LinuxNetwork
import NetworkTypes

/// Looking after the table while nothing of ours changes.
extension DataplaneReconciler {
    /// So often it is asked whether anybody else has changed a table, though the kernel told of
    /// nothing; if so, ours is compared.
    package static let slowComparison = Duration.seconds(60)

    /// So many times it is asked until the table is compared whatever the answer, and whatever has
    /// to wait for that.
    private static let comparesInAnyCase = 10

    /// After a comparison that others caused, so many times as long as it took is waited before the
    /// next one: who goes on changing the table costs no more than a fifth of a core. The first
    /// comparison after a quiet time is made at once.
    private static let restFactor = 4
    private static let longestRest = Duration.seconds(1)

    /// What came of a look at the table that was wrong.
    package typealias Report = @Sendable (Result<Outcome, SystemError>) async -> Void

    /// Keeps the table right until the task is cancelled: compares it when somebody else has
    /// changed it, which the kernel tells at once, every minute in which somebody else changed any
    /// table, and every ten minutes; and tells `report` when it was not right.
    ///
    /// Repaired within 0.5 s of the change, of which the kernel's telling takes a millisecond and
    /// the rest is the comparison.
    ///
    /// - Parameter unwatched: told when the kernel cannot be listened to, so that the table is
    ///   looked at every minute only.
    package nonisolated func run(
        unwatched: @escaping @Sendable (SystemError) async -> Void = { _ in },
        _ report: @escaping Report
    ) async {
        let (changes, feed) = AsyncStream.makeStream(
            of: NftablesChange.self, bufferingPolicy: .bufferingNewest(1))
        if let monitor {
            do throws(SystemError) {
                try monitor.start(
                    table: NftablesBatch.table, own: socketPort,
                    failed: { _ in }, deliver: { feed.yield($0) })
            } catch {
                // The slow comparison goes on without.
                await unwatched(error)
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await change in changes {
                    var rest = await self.look(for: change, report)
                    while rest == nil {
                        do { try await Task.sleep(for: Self.longestRest) } catch { return }
                        rest = await self.look(for: change, report)
                    }
                    do { try await Task.sleep(for: rest ?? .zero) } catch { return }
                }
            }
            group.addTask {
                var asked = 0
                while true {
                    do { try await Task.sleep(for: Self.slowComparison) } catch { return }
                    self.answerAskers()
                    asked = (asked + 1) % Self.comparesInAnyCase
                    let isUntouched = await self.isUntouched()
                    if asked != 0, isUntouched { continue }
                    _ = await self.look(for: nil, canWait: asked != 0 || isUntouched, report)
                }
            }
            await group.waitForAll()
        }
        monitor?.stop()
        feed.finish()
    }

    /// Compares, unless the change is none. Returns how long to rest, and `nil` when others change
    /// tables so often that ours could not be read, and may be right.
    private func look(
        for change: NftablesChange?, canWait: Bool = false, _ report: Report
    ) async -> Duration? {
        if change?.author == .unknown, isUntouched() { return .zero }
        let begin = MonotonicClock.now()
        let result: Result<Outcome, SystemError>?
        do throws(SystemError) {
            var outcome = try await verify(canWait: canWait, isDoubtful: change != nil)
            outcome?.author = change
            result = outcome.map { .success($0) }
        } catch {
            guard error.code != ESTALE else { return nil }
            result = .failure(error)
        }
        let rest = (MonotonicClock.now() - begin) * Self.restFactor
        if let result { await report(result) }
        return min(rest, Self.longestRest)
    }
}
