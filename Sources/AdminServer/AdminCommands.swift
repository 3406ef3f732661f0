import Hummingbird
import Logging

/// Answers POST, and what is no page.
struct AdminCommands: RouterMiddleware {
    typealias Context = BasicRequestContext

    let content: any AdminContent
    let gate: AdminCommandGate
    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        let pages = AdminPages.paths.sorted().joined(separator: ", ")
        if AdminPages.paths.contains(path) {
            var response = Response(
                AdminAnswer(
                    .wrongMethod,
                    error: "\(path) only shows, it takes no \(request.method.rawValue)",
                    remedy: "use GET"))
            response.headers[.allow] = "GET, HEAD"
            return response
        }
        guard request.method == .post else {
            return Response(
                AdminAnswer(
                    .unknown, error: "there is nothing to see at \(path)",
                    remedy: "ask for one of \(pages); commands are given by POST"))
        }
        if let refusal = gate.refusal(request) { return Response(refusal) }
        var request = request
        let body: [UInt8]
        do {
            body = try await gate.body(of: &request)
        } catch {
            return Response(error.answer)
        }
        do {
            let answer = try await content.command(path, body: body)
            logger.notice(
                "a command was given",
                metadata: [
                    "command": "\(path)", "at": "\(gate.address)",
                    "request": "\(String(decoding: body.prefix(200), as: UTF8.self))",
                    "answer": "\(String(decoding: answer.body.prefix(300), as: UTF8.self))",
                ])
            return Response(answer)
        } catch {
            logger.error(
                "a command failed", metadata: ["command": "\(path)", "error": "\(error)"])
            return Response(
                AdminAnswer(.failed, error: "\(error)", remedy: "the daemon's log may say more"))
        }
    }
}

extension Response {
    fileprivate init(_ answer: AdminAnswer) {
        self.init(
            HTTPResponse.Status(code: Int(answer.outcome.rawValue)), type: "application/json",
            bytes: answer.body)
    }
}
