import Synchronization

/// Bearer tokens and whose they are.
package final class TokenBook: Sendable {
    private let users = Mutex<[String: ServerUser]>([:])

    init() {}

    /// A new token of a user; the earlier ones stay good.
    package func issue(to user: ServerUser) -> String {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in
            String(UInt64.random(in: .min ... .max, using: &generator), radix: 36)
        }.joined(separator: "-")
        admit(token, as: user)
        return token
    }

    /// Takes a given text as a token of a user.
    package func admit(_ token: String, as user: ServerUser) {
        users.withLock { $0[token] = user }
    }

    /// The token is good no more, as one that has expired.
    package func revoke(_ token: String) { users.withLock { $0[token] = nil } }

    /// No token of the user is good any more.
    package func revokeAll(of user: ServerUser) {
        users.withLock { users in users = users.filter { $0.value != user } }
    }

    func user(of token: String) -> ServerUser? { users.withLock { $0[token] } }
}
