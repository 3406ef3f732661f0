import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Asks a running daemon's ``AdminHTTPServer``.
package struct AdminClient: Sendable {
    /// The daemon could not be asked, or refused the question.
    package enum Failure: Error, CustomStringConvertible, Equatable {
        case unreachable(AdminAddress, reason: String)
        case refused(status: UInt, text: String)

        package var description: String {
            switch self {
            case .unreachable(let address, let reason):
                "no daemon answers at \(address) (\(reason)); "
                    + "is `martlet run` up there? --admin names another place. Of a speaker in a "
                    + "cluster ask in its Pod (kubectl exec)"
            case .refused(let status, let text):
                text.isEmpty ? "the daemon answered \(status)" : text
            }
        }
    }

    /// Where the daemon is asked.
    let address: AdminAddress

    package init(_ address: AdminAddress) { self.address = address }

    /// The body of `path` (with its query, already percent-encoded); at most 256 MiB, within 10 s.
    package func get(_ path: String) async throws -> [UInt8] {
        try await ask(path) { HTTPClientRequest(url: $0) }
    }

    /// Gives the command at `path` with a JSON object as body, and returns the JSON it answers;
    /// within 10 s. A command that is not carried out is ``Failure/refused(status:text:)`` with the
    /// daemon's error and remedy as its text.
    package func post(_ path: String, _ body: [UInt8] = Array("{}".utf8)) async throws -> [UInt8] {
        do {
            return try await ask(path) { url in
                var request = HTTPClientRequest(url: url)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(body)
                return request
            }
        } catch Failure.refused(let status, let text) {
            throw Failure.refused(status: status, text: Self.sentence(text))
        }
    }

    /// The error and the remedy of an answer as one line; another text as it is.
    private static func sentence(_ text: String) -> String {
        do {
            let fault = try JSONDecoder().decode(AdminAnswer.Fault.self, from: Data(text.utf8))
            return fault.remedy.isEmpty ? fault.error : "\(fault.error); \(fault.remedy)"
        } catch {
            // Not from our server: the text is all there is.
            return text
        }
    }

    private func ask(
        _ path: String, _ request: (String) -> HTTPClientRequest
    ) async throws -> [UInt8] {
        let base: String
        switch address {
        case .tcp(let host, let port):
            base = "http://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .unix(let socket):
            base = "http+unix://" + socket.percentEncoded
        }
        // One question, then the program ends: a refused connection must not be tried again.
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<[UInt8], any Error>
        do {
            result = .success(try await ask(client, request(base + path)))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return try result.get()
    }

    /// Why a socket is not answered at, in words where they are known.
    private static func reason(_ error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case ENOENT: "there is no such socket"
        case ECONNREFUSED: "connection refused"
        case EACCES: "permission denied"
        default: String(describing: error)
        }
    }

    private func ask(_ client: HTTPClient, _ request: HTTPClientRequest) async throws -> [UInt8] {
        do {
            let response = try await client.execute(request, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: 256 << 20)
            guard response.status == .ok || response.status == .accepted else {
                let text = String(buffer: body).trimmingSuffix { $0.isNewline }
                throw Failure.refused(status: response.status.code, text: text)
            }
            return Array(body.readableBytesView)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure.unreachable(address, reason: Self.reason(error))
        }
    }
}

extension String {
    /// Every byte but letters and digits as `%XX` (RFC 3986 §2.1).
    package var percentEncoded: String {
        utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }

    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, predicate(last) { rest.removeLast() }
        return String(rest)
    }
}
