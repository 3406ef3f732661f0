import NetworkTypes

extension MembershipAgent {
    /// All other members that are known, by name.
    public var members: [MemberView] {
        roster.members.values.map(view).sorted { $0.name < $1.name }
    }

    /// The entries of a member as far as they are known here; of ourselves what we publish.
    public func entries(of name: String) -> [[UInt8]: [UInt8]] {
        store.entries(of: NodeID(name: name))
    }

    /// The state of a member; `nil`: it is not known.
    public func state(of name: String) -> MemberState? { roster[NodeID(name: name)]?.state }

    /// Our own lateness, 0 (well) to 8.
    public var localHealth: UInt8 { wakefulness.localHealth }

    private func view(_ member: Member) -> MemberView {
        MemberView(
            name: member.name, endpoint: member.endpoint, state: member.state,
            cause: member.cause, since: member.since, incarnation: member.incarnation,
            session: session(with: member.id).map { view(sessions[$0]) })
    }

    private func view(_ session: Session) -> MemberView.Link {
        MemberView.Link(
            isNeighbour: session.isNeighbour,
            isUp: session.isUp(
                at: wakefulness.lastRun, localHealth: wakefulness.localHealth, timing),
            loss: session.loss, reverseLoss: session.reverseLoss,
            worstGap: .nanoseconds(session.worstGap),
            lastHeard: session.hasBeenHeard ? session.heardAt : nil,
            lastHeardUs: session.isHeardByPeer ? session.heardByPeerAt : nil,
            localHealth: session.peerHealth, isBadLink: session.isBadLink)
    }
}
