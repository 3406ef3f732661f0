import AsyncHTTPClient
import Kubernetes
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// Talks HTTP to one API server: HTTP/2 where the server offers it, else HTTP/1.1.
///
/// It knows where the server is, who we are and how long to wait, and nothing of objects. Requests
/// may run side by side; each is sent once, except that after an answer of 401 it is sent a second
/// time if fresher credentials are to be had, and a GET if a connection that was kept is found to
/// be closed. Redirects are not followed, so a token goes nowhere else. Call ``shutdown()`` before
/// letting go of it.
package final class APIClient: Sendable {
    private let access: ClusterAccess
    private let userAgent: String
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let http: HTTPClient
    private let credentials: Credentials
    /// What was asked, and what came of it.
    package let tally = RequestTally()
    private let door = RequestDoor()

    /// Makes a client. Nothing is read or sent before the first request.
    package convenience init(access: ClusterAccess, userAgent: String, logger: Logger) {
        self.init(access: access, userAgent: userAgent, logger: logger, pace: Credentials.Pace())
    }

    init(
        access: ClusterAccess, userAgent: String, logger: Logger, pace: Credentials.Pace,
        patience: ConnectionPatience = ConnectionPatience()
    ) {
        self.access = access
        self.userAgent = userAgent
        self.logger = logger
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        http = HTTPClient(
            eventLoopGroup: group,
            configuration: .init(access: access, patience: patience))
        credentials = Credentials(access: access, pace: pace, logger: logger)
        if !access.server.isTLS, access.hasSecret {
            logger.warning(
                "the API server is spoken to without TLS; who listens can read the credentials",
                metadata: ["server": "\(access.server)"])
        }
    }

    /// Sends a request and waits for all of the answer. Throws for any answer that is not a
    /// success; its `retryAfterSeconds` is filled in from the header too.
    package func send(_ request: APIRequest) async throws(APIFailure) -> APIResponse {
        try await counted(request.verb) { () throws(APIFailure) in
            try await withCredentials { prepared throws(APIFailure) in
                try await self.timed(request) { () throws(APIFailure) in
                    let response = try await self.execute(request, prepared)
                    let body = try await self.body(of: response, bound: request.answerBound)
                    let code = Int(response.status.code)
                    try self.refuseUnlessSuccess(code, response.headers, body)
                    return APIResponse(code: code, body: body)
                }
            }
        }
    }

    /// Sends a request and returns as soon as the answer has begun. Throws for any answer that is
    /// not a success. A stream has to begin within 30 s.
    package func open(_ request: APIRequest) async throws(APIFailure) -> APIStream {
        var request = request
        request.timeout = min(request.timeout, APIRequest.streamPatience)
        return try await counted("watch") { [request] () throws(APIFailure) in
            try await withCredentials { prepared throws(APIFailure) in
                try await self.timed(request) { () throws(APIFailure) in
                    let response = try await self.execute(request, prepared)
                    let code = Int(response.status.code)
                    if code >= 300 {
                        let body = try await self.body(of: response, bound: request.answerBound)
                        try self.refuseUnlessSuccess(code, response.headers, body)
                    }
                    return APIStream(body: response.body, peer: self.access.server.description)
                }
            }
        }
    }

    /// What the server is.
    package func version() async throws(APIFailure) -> ServerVersion {
        try ServerVersion(try await send(APIRequest(path: "/version", timeout: .seconds(10))).body)
    }

    /// Reads files again and asks the exec plugin again before the next request. A 401 does so
    /// by itself.
    package func refreshCredentials() async { await credentials.expire() }

    /// Ends all requests and connections. Call it once; a request that comes later fails.
    package func shutdown() async {
        door.close()
        let end = [{ try await self.http.shutdown() }, door.whenEmpty, group.shutdownGracefully]
        for close in end {
            do {
                try await close()
            } catch {
                logger.debug("the HTTP client did not close cleanly: \(error)")
            }
        }
    }
}

extension APIClient {
    /// Counts what comes of a request; one that was given up by the asker has no outcome.
    private func counted<Answer>(
        _ verb: String, _ request: () async throws(APIFailure) -> Answer
    ) async throws(APIFailure) -> Answer {
        do {
            let answer = try await request()
            tally.noteSuccess(of: verb)
            return answer
        } catch {
            if !Task.isCancelled { tally.note(verb, error) }
            throw error
        }
    }

    /// Carries out with the credentials at hand; and, refused with 401, once more with fresher
    /// ones.
    private func withCredentials<Answer: Sendable>(
        _ attempt: (Credentials.Prepared) async throws(APIFailure) -> Answer
    ) async throws(APIFailure) -> Answer {
        let prepared = try await credentials.prepared()
        do {
            return try await attempt(prepared)
        } catch {
            switch error {
            case .status(let status) where status.code == 401:
                guard let fresher = try await credentials.refused(prepared.generation) else {
                    throw error
                }
                return try await attempt(fresher)
            case .transport:
                // It may be that the server has a certificate of a new authority by now.
                await credentials.checkFiles()
                throw error
            default:
                throw error
            }
        }
    }

    private func timed<Answer: Sendable>(
        _ request: APIRequest,
        _ operation: @escaping @Sendable () async throws(APIFailure) -> Answer
    ) async throws(APIFailure) -> Answer {
        guard door.enter() else {
            throw .transport("\(access.server) is not asked any more: this process is ending")
        }
        defer { door.leave() }
        let answer = await TimeLimit.result(within: request.timeout, of: operation)
        guard let answer else {
            throw .timeout(
                "\(access.server) has not answered \(request.method) \(request.path) "
                    + "within \(request.timeout.components.seconds) s")
        }
        return try answer.get()
    }

    private func execute(
        _ request: APIRequest, _ prepared: Credentials.Prepared
    ) async throws(APIFailure) -> HTTPClientResponse {
        var message = HTTPClientRequest(url: access.server.base(name: access.tlsServerName))
        message.url += request.target
        message.method = HTTPMethod(rawValue: request.method)
        message.tlsConfiguration = prepared.tls
        message.headers.reserveCapacity(6)
        message.headers.add(name: "host", value: access.server.authority)
        message.headers.add(name: "user-agent", value: userAgent)
        message.headers.add(name: "accept", value: "application/json")
        for (name, value) in prepared.headers { message.headers.add(name: name, value: value) }
        if let contentType = request.contentType {
            message.headers.add(name: "content-type", value: contentType)
        }
        if let body = request.body { message.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            // The limit on time is ours, since this one would not cover the body. No logger is
            // handed over: what the library would say could name headers.
            do {
                return try await http.execute(message, deadline: .distantFuture)
            } catch  where request.method == "GET" && Self.isClosedConnection(error) {
                // A connection of the pool that the server, or nobody's answer, ended meanwhile. It
                // has left the pool once its event loop has come round.
                try await Task.sleep(for: .milliseconds(5))
                return try await http.execute(message, deadline: .distantFuture)
            }
        } catch {
            throw APIFailure(connection: error, to: access.server.description)
        }
    }

    private static func isClosedConnection(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case let error as ChannelError: error == .ioOnClosedChannel || error == .alreadyClosed
        default: false
        }
    }

    private func body(
        of response: HTTPClientResponse, bound: Int
    ) async throws(APIFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        if let length = response.headers.first(name: "content-length").flatMap({ Int($0) }),
            (0...bound).contains(length)
        {
            bytes.reserveCapacity(length)
        }
        do {
            for try await chunk in response.body {
                guard bytes.count + chunk.readableBytes <= bound else {
                    throw APIFailure.malformed("the answer has more than \(bound) bytes")
                }
                bytes.append(contentsOf: chunk.readableBytesView)
            }
        } catch let failure as APIFailure {
            throw failure
        } catch {
            throw APIFailure(connection: error, to: access.server.description)
        }
        return bytes
    }

    private func refuseUnlessSuccess(
        _ code: Int, _ headers: HTTPHeaders, _ body: [UInt8]
    ) throws(APIFailure) {
        guard code >= 300 else { return }
        guard code >= 400 else {
            throw .malformed("\(access.server) redirects (\(code)); is that the API server?")
        }
        var status = ObjectDecoder.status(body, code: code)
        if let seconds = headers.first(name: "retry-after").flatMap({ Int($0) }), seconds >= 0 {
            status.retryAfterSeconds = max(seconds, status.retryAfterSeconds ?? 0)
        }
        throw .status(status)
    }
}
