import BFD
import BGP
import LinuxNetwork
import NetworkTypes

/// What others tell the thread that speaks BGP. Everything merges, so its size is bounded by the
/// number of peers, of prefixes, and of questions that wait.
struct BGPMail: Sendable {
    /// The peers, all of them.
    var peers: [String: BGPPeerPlan]?
    /// Routes that changed, by peer; `nil` for a route that is gone.
    var changes: [String: [Prefix: Route?]] = [:]
    /// The interfaces.
    var links: LinkTable?
    /// Paths that came up, went down, or are no longer watched.
    var paths: [BFDPath: BFDVerdict] = [:]
    /// Whether every route is marked as about to go (RFC 8326).
    var marksShutdown: Bool?
    /// Whether and how to end every session.
    var ending: Ending?
    /// Sessions that an operator wants to see begin anew.
    var resets: Set<String> = []
    /// Who wants to know what is so.
    var questions: [BGPQuestion] = []
    /// Whether the thread is to end.
    var isOver = false

    /// How sessions end for good.
    enum Ending: Sendable, Equatable {
        /// The peers forget the routes at once.
        case withdrawing
        /// Peers that agreed to it keep the routes for the process that comes next.
        case keepingRoutes
    }
}

/// A question to the thread, answered between two turns.
struct BGPQuestion: Sendable {
    /// Prefixes that the asker wants to know the fate of; `nil` for none.
    var prefixes: [Prefix]
    /// Told the answer, once.
    var answer: @Sendable (BGPReport) -> Void
}
