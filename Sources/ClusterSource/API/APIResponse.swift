import AsyncHTTPClient
import Kubernetes
import NIOCore

/// The answer to a request that was carried out.
package struct APIResponse: Sendable {
    /// The HTTP code, below 300.
    package var code: Int
    /// All of the body.
    package var body: [UInt8]

    /// Makes an answer.
    package init(code: Int, body: [UInt8]) {
        self.code = code
        self.body = body
    }
}

/// An answer that goes on, such as a watch: its bytes as they come, cut anywhere.
///
/// Cancelling the task that reads, or letting go of the iterator, ends the request. A cancelled
/// reader gets a failure of the transport.
package struct APIStream: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = APIFailure

    let body: HTTPClientResponse.Body
    let peer: String

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(chunks: body.makeAsyncIterator(), peer: peer)
    }

    /// Hands out the bytes.
    package struct AsyncIterator: AsyncIteratorProtocol {
        var chunks: HTTPClientResponse.Body.AsyncIterator
        let peer: String

        /// The next bytes, never empty; `nil` when the server has ended the answer.
        package mutating func next() async throws(APIFailure) -> [UInt8]? {
            do {
                while let chunk = try await chunks.next() {
                    if chunk.readableBytes > 0 { return Array(chunk.readableBytesView) }
                }
                return nil
            } catch {
                throw APIFailure(connection: error, to: peer)
            }
        }
    }
}

/// What the server is.
package struct ServerVersion: Sendable, Equatable {
    /// The first number of `1.31`.
    package var major: Int
    /// The second number of `1.31`.
    package var minor: Int
    /// As the server says it, such as `v1.31.2+k3s1`.
    package var gitVersion: String

    /// Makes a version.
    package init(major: Int, minor: Int, gitVersion: String) {
        self.major = major
        self.minor = minor
        self.gitVersion = gitVersion
    }
}
