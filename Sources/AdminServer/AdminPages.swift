import Hummingbird
import NIOCore

/// Answers GET and HEAD: health, metrics, state and explanations.
struct AdminPages: RouterMiddleware {
    typealias Context = BasicRequestContext

    /// The pages, by path.
    static let paths: Set = ["/healthz", "/readyz", "/metrics", "/state", "/explain"]

    let content: any AdminContent

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.method == .get || request.method == .head else {
            return try await next(request, context)
        }
        switch request.uri.path {
        case "/healthz": return verdict(await content.unhealthy())
        case "/readyz": return verdict(await content.unready())
        case "/metrics":
            let text = MetricFamily.exposition(await content.metrics())
            return Response(.ok, type: "text/plain; version=0.0.4; charset=utf-8", text)
        case "/state":
            return Response(.ok, type: "application/json", bytes: try await content.state())
        case "/explain":
            guard let subject = request.uri.queryParameters.get("subject") else {
                return Response(
                    .badRequest, type: "text/plain",
                    "the query needs subject=SERVICE or subject=ADDRESS\n")
            }
            guard let explanation = try await content.explanation(of: subject) else {
                return Response(
                    .notFound, type: "text/plain",
                    "no Service and no address is called \(subject)\n")
            }
            return Response(.ok, type: "application/json", bytes: explanation)
        default:
            return try await next(request, context)
        }
    }

    private func verdict(_ fault: String?) -> Response {
        Response(
            fault == nil ? .ok : .serviceUnavailable, type: "text/plain", (fault ?? "ok") + "\n")
    }
}

extension Response {
    init(_ status: HTTPResponse.Status, type: String, _ text: String) {
        self.init(status, type: type, bytes: Array(text.utf8))
    }

    init(_ status: HTTPResponse.Status, type: String, bytes: [UInt8]) {
        self.init(
            status: status, headers: [.contentType: type],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
