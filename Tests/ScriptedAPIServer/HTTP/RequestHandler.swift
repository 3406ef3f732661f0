import NIOCore
import NIOHTTP1
import NIOSSL

/// Takes requests from one connection, or one HTTP/2 stream, and answers them.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let bodyLimit = 3 << 20
    private let core: ServerCore
    private let connections: ConnectionRegister
    private let isHTTP2: Bool
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var stream: WatchStream?
    private var certificateUser: ServerUser??

    init(core: ServerCore, connections: ConnectionRegister, isHTTP2: Bool) {
        self.core = core
        self.connections = connections
        self.isHTTP2 = isHTTP2
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
            isTooLarge = false
        case .body(let part):
            if body.count + part.readableBytes > Self.bodyLimit {
                isTooLarge = true
            } else {
                body += part.readableBytesView
            }
        case .end:
            guard let head else { return }
            self.head = nil
            let request = RequestInfo(head: head, body: body, isHTTP2: isHTTP2)
            body = []
            handle(request, keepsAlive: head.isKeepAlive, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stream?.closed()
        stream = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func user(_ request: RequestInfo, _ context: ChannelHandlerContext) -> ServerUser? {
        if let token = request.token { return core.tokens.user(of: token) }
        if certificateUser == nil {
            let connection = ConnectionRegister.connection(of: context.channel)
            let handler = try? connection.pipeline.syncOperations.handler(
                type: NIOSSLServerHandler.self)
            certificateUser = .some(
                handler?.peerCertificate.flatMap { CertificateSubject.user(of: $0) })
        }
        return certificateUser ?? nil
    }

    private func handle(
        _ request: RequestInfo, keepsAlive: Bool, _ context: ChannelHandlerContext
    ) {
        let begin = WallTime.uptime()
        let exchange = Exchange(
            request: request, begin: begin, keepsAlive: keepsAlive,
            channel: context.channel, core: core)
        if isTooLarge {
            exchange.send(
                Answer(StatusError(413, "RequestEntityTooLarge", "limit is 3145728")), user: "")
            return
        }
        let isOpen = ["/healthz", "/readyz", "/livez", "/version"].contains(request.path)
        guard
            let user = user(request, context)
                ?? (isOpen ? ServerUser(name: "system:anonymous") : nil)
        else {
            exchange.send(Answer(.unauthorized), user: "")
            return
        }
        connections.name(context.channel, user.name)
        let actions =
            request.path.hasPrefix("/scripted")
            ? [] : core.faults.actions(for: request, user: user.name)
        var plan = FaultPlan()
        for action in actions { plan.take(action, request) }
        if plan.isSilent {
            core.log.append(exchange.record(user: user.name, code: 0, bytes: 0))
            return
        }
        let wait = plan.milliseconds
        guard wait > 0 else {
            carryOut(exchange, user, plan)
            return
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let final = plan
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(wait))) {
            bound.value.carryOut(exchange, user, final)
        }
    }

    private func carryOut(_ exchange: Exchange, _ user: ServerUser, _ plan: FaultPlan) {
        if plan.drops {
            core.log.append(exchange.record(user: user.name, code: 0, bytes: 0))
            exchange.drop()
        } else if let answer = plan.answer {
            exchange.send(answer, user: user.name, cutAfter: plan.cutAfter)
        } else if exchange.request.verb == "watch", exchange.request.isResource {
            do throws(StatusError) {
                stream = try exchange.watch(user, plan)
            } catch {
                exchange.send(Answer(error), user: user.name)
            }
        } else {
            let answer = core.answer(exchange.request, user, staleAt: plan.staleAt)
            if plan.losesAnswer {
                core.log.append(exchange.record(user: user.name, code: 0, bytes: 0))
                exchange.drop()
            } else {
                exchange.send(answer, user: user.name, cutAfter: plan.cutAfter)
            }
        }
    }
}

/// The faults of one request put together.
struct FaultPlan: Sendable {
    var answer: Answer?
    var milliseconds = 0
    var cutAfter: Int?
    var drops = false
    var isSilent = false
    var losesAnswer = false
    var staleAt: Int?
    var refusesStreaming = false
    var trouble = WatchStream.Trouble()

    mutating func take(_ action: FaultAction, _ request: RequestInfo) {
        switch action {
        case .answer(let error): answer = Answer(error)
        case .delay(let milliseconds): self.milliseconds += milliseconds
        case .cut(let count):
            cutAfter = count
            trouble.cutAfter = count
        case .drop: drops = true
        case .silence: isSilent = true
        case .loseAnswer: losesAnswer = true
        case .stale(let revision): staleAt = revision
        case .duplicateEvents: trouble.duplicates = true
        case .repeatOlderEvents: trouble.repeatsOlder = true
        case .garbage: answer = Answer(Array("{\"kind\":\"List\",\"items\":[{]".utf8))
        case .refuseStreamingLists: refusesStreaming = true
        }
    }
}
