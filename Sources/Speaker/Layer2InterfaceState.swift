import Layer2
import LinuxNetwork
import NetworkTypes

/// What is so on the wire of one interface: not what was intended, but what happens there now.
package struct Layer2InterfaceState: Equatable, Sendable {
    /// The interface's name.
    package var interface: String
    /// The kernel's index.
    package var index: Int
    /// The link-layer address that answers carry.
    package var macAddress: MACAddress
    /// Whether frames are received and sent: the link is up and the socket open.
    package var isListening: Bool
    /// The last failure, until what failed has worked again.
    package var failure: SystemError?
    /// The addresses of the interface, in order.
    package var addresses: [Layer2AddressState]
    /// Whether there is authority to answer.
    package var isAuthorized: Bool
    /// When a frame of another station was last received.
    package var lastHeard: Instant?
    /// How many addresses of other nodes are watched here.
    package var watchedCount: Int
    /// What is wrong with addresses that are watched here.
    package var findings: [IPAddress: AnswerWatch.Verdict]
    /// Why the thread does not run at real-time priority, if it does not.
    package var schedulingNote: String?
    /// Frames dropped by the announcer, by reason.
    package var drops: DropCounters
    /// Counters of the interface since it was bound.
    package var counters: Layer2InterfaceCounters
}

/// One address on one interface.
package struct Layer2AddressState: Equatable, Sendable {
    /// The address.
    package var address: IPAddress
    /// Where the announcer stands with it.
    package var state: AnnouncementState
    /// Since when questions for it are answered; `nil` while they are not, and without
    /// authority.
    package var answeringSince: Instant?
    /// What happened to it since it was added.
    package var counters: AddressCounters
    /// The last conflict about it, while it is in the plan.
    package var lastConflict: Layer2Conflict?
}

/// A conflict about an address.
package struct Layer2Conflict: Equatable, Sendable {
    /// The link-layer address of the stranger.
    package var offender: MACAddress
    /// Before use or in use.
    package var phase: Announcer.Conflict.Phase
    /// When it was reported last.
    package var at: Instant

    /// Whether a conflict about an address in use has ended: nothing was heard of it for a minute.
    /// One before use lasts until the address is answered for.
    func isOver(at now: Instant) -> Bool {
        phase == .inUse && now - at > .seconds(60)
    }
}

/// What happened on one interface since it was bound.
package struct Layer2InterfaceCounters: Equatable, Sendable {
    /// Frames taken from the kernel.
    package var framesReceived: UInt64 = 0
    /// Frames that the kernel dropped because we read too slowly.
    package var framesMissed: UInt64 = 0
    /// Frames that could not be sent.
    package var sendFailures: UInt64 = 0
    /// Solicited-node groups joined now.
    package var groupsJoined = 0
    /// Solicited-node groups that are wanted but not joined now.
    package var groupsMissing = 0
}
