public import NetworkTypes

/// A member came into another state.
public struct MemberChange: Hashable, Sendable {
    /// The node's name.
    public var name: String
    /// `nil`: it was not known.
    public var from: MemberState?
    /// The state now.
    public var to: MemberState
    /// Why it is suspected or dead; `none` for a dead one that others remembered.
    public var cause: DeathCause
    /// Who said so, where its name is known.
    public var witness: String?
    /// When that was learned here.
    public var at: Instant

    /// Makes a change.
    public init(
        name: String, from: MemberState?, to: MemberState, cause: DeathCause, witness: String?,
        at: Instant
    ) {
        self.name = name
        self.from = from
        self.to = to
        self.cause = cause
        self.witness = witness
        self.at = at
    }
}
