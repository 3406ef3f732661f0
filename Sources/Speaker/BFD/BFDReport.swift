import BFD
import LinuxNetwork
import NetworkTypes

/// What a path's session means to those who use it: `unknown`, `up` or `down`.
package typealias BFDVerdict = BFDReachability

/// What is so with the watched paths. Counters may be a second old.
package struct BFDReport: Equatable, Sendable {
    /// One session.
    package struct Session: Equatable, Sendable {
        /// What it watches.
        package var path: BFDPath
        /// What was wanted of it.
        package var wish: BFDWish
        /// What the session says of itself.
        package var status: BFDStatus
        /// What its users were told last: a session that is begun anew says nothing at first.
        package var verdict: BFDVerdict
        /// Whether nobody wishes for it any more, and it only says so to the far end.
        package var isEnding: Bool
        /// The port its packets come from.
        package var sourcePort: UInt16
        /// Control packets that the kernel did not take.
        package var unsent: UInt64
        /// Why packets cannot be sent or received, with the remedy; `nil` when they can.
        package var trouble: String?
    }

    /// The sessions by path.
    package var sessions: [BFDPath: Session] = [:]
    /// Packets that belong to no session, by the reason.
    package var discards = BFDDiscardCounters()
    /// What concerns no single session, each with its remedy: a port that is taken, too many paths.
    package var troubles: [String] = []
    /// How the thread is scheduled; `nil` before it runs.
    package var scheduling: NetworkThread.Scheduling?

    /// Nothing is watched.
    package init() {}
}

/// Something that happened, for the log.
package struct BFDEvent: Equatable, Sendable {
    /// The path.
    package var path: BFDPath
    /// The state that its session is in now.
    package var state: BFDState
    /// Why.
    package var diagnostic: BFDDiagnostic
    /// What the far end says of itself; `nil` while nothing is heard of it.
    package var remoteState: BFDState?
}

extension BFDEvent: CustomStringConvertible {
    /// `BFD 192.0.2.1 is Down: control detection time expired`.
    package var description: String {
        "BFD \(path) is \(state)" + (diagnostic == .none ? "" : ": \(diagnostic)")
    }
}
