/// How often an endpoint is asked whether it lives, and how much its answers weigh.
public struct ProbeSettings: Hashable, Sendable {
    /// From the beginning of one question to that of the next, on average. A question that takes
    /// longer than this is followed by the next at once.
    public var interval: Duration
    /// How long an answer may take.
    public var timeout: Duration
    /// Good answers in a row until an endpoint that is out is taken in again; at least 1.
    public var rise: Int
    /// Bad ones in a row until an endpoint is taken out; at least 1.
    public var fall: Int
    /// Whether nobody is taken out of a Service when all of its endpoints of a family are down.
    public var failsOpen: Bool

    /// Settings; values below their least are raised to it: 10 ms, and once.
    public init(
        interval: Duration = .seconds(2), timeout: Duration = .seconds(1), rise: Int = 2,
        fall: Int = 3, failsOpen: Bool = true
    ) {
        self.interval = max(interval, .milliseconds(10))
        self.timeout = max(timeout, .milliseconds(10))
        self.rise = max(rise, 1)
        self.fall = max(fall, 1)
        self.failsOpen = failsOpen
    }
}

/// What became of one question.
public enum ProbeAnswer: Hashable, Sendable {
    /// As it should be.
    case good
    /// The endpoint's host refused: nobody listens at the port.
    case refused
    /// The host cannot be reached.
    case unreachable
    /// There was no answer in time.
    case timedOut
    /// The connection ended before there was an answer.
    case ended
    /// An HTTP status that is not among the good ones.
    case status(Int)
    /// An answer that is not what is expected.
    case unexpected
    /// This node could not ask, by the number of `errno(3)`. That says nothing of the endpoint.
    case notAsked(Int32)
}

extension ProbeAnswer: CustomStringConvertible {
    /// Plain words, to be read after the endpoint's address.
    public var description: String {
        switch self {
        case .good: "answers as it should"
        case .refused: "refuses the connection: nobody listens at the port"
        case .unreachable: "cannot be reached"
        case .timedOut: "does not answer in time"
        case .ended: "ends the connection without an answer"
        case .status(let code): "answers with status \(code)"
        case .unexpected: "answers something else than what is expected"
        case .notAsked(let code): "could not be asked (errno \(code))"
        }
    }
}
