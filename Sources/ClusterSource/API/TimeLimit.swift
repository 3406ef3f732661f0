/// Waiting that ends.
enum TimeLimit {
    private enum Outcome<Answer: Sendable, Failure: Error>: Sendable {
        case ended(Result<Answer, Failure>)
        case expired
    }

    /// What an operation brought; `nil` if it took longer. It is cancelled then, and waited for, as
    /// it is when the caller is cancelled.
    static func result<Answer: Sendable, Failure: Error>(
        within limit: Duration,
        of operation: @escaping @Sendable () async throws(Failure) -> Answer
    ) async -> Result<Answer, Failure>? {
        await withTaskGroup(of: Outcome<Answer, Failure>.self) { group in
            group.addTask {
                do throws(Failure) {
                    return .ended(.success(try await operation()))
                } catch {
                    return .ended(.failure(error))
                }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: limit)
                } catch {
                    // Cancelled: the operation is too, and says how that went.
                }
                return .expired
            }
            var hasExpired = false
            for await outcome in group {
                switch outcome {
                case .ended(let result):
                    group.cancelAll()
                    return hasExpired ? nil : result
                case .expired:
                    hasExpired = !Task.isCancelled
                    group.cancelAll()
                }
            }
            return nil
        }
    }
}
