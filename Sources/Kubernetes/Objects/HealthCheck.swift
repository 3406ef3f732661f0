/// How the endpoints of a Service are asked whether they live, beside what their objects say; by
/// the annotations `martlet.dev/health-check…`.
public struct HealthCheck: Hashable, Sendable {
    /// What is asked, and what counts as a good answer.
    public enum Method: Hashable, Sendable {
        /// A TCP connection that is accepted.
        case tcp
        /// `GET path` by HTTP/1.1 over TCP, answered with a status in the range.
        case http(path: String, statuses: ClosedRange<Int>)
        /// A datagram with these bytes. With an expectation, an answer that begins with it; without
        /// one, anything but a refusal (ICMP port unreachable), silence included.
        case udp(sends: [UInt8], expects: [UInt8]?)
    }

    /// What is asked.
    public var method: Method
    /// The port to ask, `nil` for the one that traffic goes to.
    public var port: UInt16?
    /// From one question to the next.
    public var interval: Duration = .seconds(2)
    /// How long an answer may take.
    public var timeout: Duration = .seconds(1)
    /// Good answers in a row until an endpoint that is out is taken in again, 1–100.
    public var rise = 2
    /// Bad ones in a row until an endpoint is taken out, 1–100.
    public var fall = 3
    /// Whether all endpoints stay in when every one of them fails: then it is rather the question
    /// that is wrong, or the way of this node.
    public var failsOpen = true

    /// A check with the usual times.
    public init(_ method: Method) { self.method = method }

    /// The statuses that are good where none are named.
    public static let usualStatuses = 200...399

    /// A setting of a check, by the annotation that gives it.
    public enum Setting: String, Sendable, CaseIterable {
        /// `tcp`, `http` or `udp`: the one that switches the check on.
        case method = "health-check"
        /// 1–65535.
        case port = "health-check-port"
        /// The path of an HTTP question, `/` when absent.
        case path = "health-check-path"
        /// HTTP: a status (`200`) or a range of them (`200-399`). UDP: how an answer begins.
        case expect = "health-check-expect"
        /// UDP: what is sent.
        case send = "health-check-send"
        /// A duration from `100ms` to `1h`.
        case interval = "health-check-interval"
        /// A duration from `10ms` to `1m`.
        case timeout = "health-check-timeout"
        /// 1–100.
        case rise = "health-check-rise"
        /// 1–100.
        case fall = "health-check-fall"
        /// `true` or `false`.
        case panic = "health-check-panic"

        /// The annotation.
        public var key: String { "martlet.dev/" + rawValue }
    }
}

extension Service {
    /// How the data plane chooses among the endpoints of a Service.
    public enum EndpointSelection: String, Hashable, Sendable, CaseIterable {
        /// Any, with equal chances.
        case random
        /// By the client's address; a change of the endpoints moves most clients.
        case sourceHash = "source-hash"
        /// By the client's address; an endpoint that goes moves its own clients only.
        case consistent
    }

    /// The annotation that says so.
    public static let endpointSelectionAnnotation = "martlet.dev/endpoint-choice"
}
