import Dataplane
import LinuxNetwork
import NetworkTypes

/// Keeps this node's nftables table what the Services say it should be.
///
/// Level-based: it is told what should be, not what happened, and finds the difference itself. Each
/// call is one transaction: the kernel takes all of it, or the table stays as it was. When the
/// kernel refuses a difference, somebody else has changed the table, and it is replaced as a whole,
/// again at once; connections that are open live on in connection tracking.
///
/// The table is `inet martlet`; no other table is read or written.
package actor DataplaneReconciler {
    /// What one call did, and what its caller should tell people.
    package struct Outcome: Sendable {
        /// Whether anything was sent to the kernel.
        package var isChanged = false
        /// Whether the whole table was replaced.
        package var isReplaced = false
        /// Why a difference did not do, when the table was replaced for that.
        package var refusal: SystemError?
        /// Why connections that lead nowhere could not be ended. They end by their own time-out.
        package var flushFailure: SystemError?
        /// What was asked for and is not in the table.
        package var omissions: [ServiceChain.Identity: Ruleset.Omission] = [:]
        /// Families in which packets must be forwarded and are not, so that backends on other hosts
        /// or in other network namespaces are out of reach.
        package var familiesNotForwarded: [IPAddress.Family] = []

        /// What to set, for each family that is not forwarded: `sysctl -w …`.
        package var remedies: [String] {
            familiesNotForwarded.map { "sysctl -w \(NftablesForwarding.name($0))=1" }
        }
    }

    private let socket: NftablesSocket
    private let isForwarding: @Sendable (IPAddress.Family) -> Bool?
    private var ruleset = Ruleset()
    /// What the ruleset was last brought up to, where that is known.
    private var reached: ServiceChains?
    private var isInstalled = false
    private var nextSequence: UInt32 = 1

    /// Starts with a table in an unknown state: the first `reconcile` replaces what a former run
    /// left, in one transaction, so that there is no moment without rules.
    ///
    /// - Parameter isForwarding: whether this node forwards a family, `nil` when unknown.
    package init(
        socket: consuming NftablesSocket,
        isForwarding: @escaping @Sendable (IPAddress.Family) -> Bool? = NftablesForwarding.isOn
    ) {
        self.socket = socket
        self.isForwarding = isForwarding
    }

    /// How many Service ports the table holds.
    package var servicePortCount: Int { ruleset.count }

    /// Makes the table what `desired` says.
    ///
    /// - Throws: when the kernel took neither the difference nor the whole. The table is then as it
    ///   was, and the next call replaces it.
    @discardableResult
    package func reconcile(_ desired: [ServiceChain]) throws(SystemError) -> Outcome {
        reached = nil
        return try commit(ruleset.update(to: desired))
    }

    /// Makes the table what `desired` says. Of a state that differs little from the one before only
    /// what differs is looked at.
    ///
    /// - Throws: as above.
    @discardableResult
    package func reconcile(_ desired: ServiceChains) throws(SystemError) -> Outcome {
        let changes = reached.flatMap { desired.changes(since: $0) }
        reached = desired
        if let changes, let difference = ruleset.update(only: changes) {
            return try commit(difference)
        }
        return try commit(ruleset.update(to: desired.all()))
    }

    /// Brings the kernel in step with the ruleset.
    private func commit(_ difference: RulesetDiff) throws(SystemError) -> Outcome {
        var outcome = Outcome()
        outcome.omissions = ruleset.omissions
        outcome.familiesNotForwarded = IPAddress.Family.allCases.filter { family in
            ruleset.endpointCounts[family, default: 0] > 0 && isForwarding(family) == false
        }
        if isInstalled {
            guard !difference.isEmpty else { return outcome }
            do throws(SystemError) {
                try commit(NftablesBatch(difference, firstSequence: nextSequence))
                outcome.isChanged = true
                outcome.flushFailure = flush(difference.flushes)
                return outcome
            } catch {
                isInstalled = false
                outcome.refusal = error
            }
        }
        try commit(NftablesBatch(ruleset.installation, firstSequence: nextSequence))
        isInstalled = true
        outcome.isChanged = true
        outcome.isReplaced = true
        outcome.flushFailure = flush(difference.flushes)
        return outcome
    }

    /// Looks whether the table is still there; if not, the next `reconcile` installs it anew.
    package func verify() throws(SystemError) -> Bool {
        guard isInstalled else { return false }
        isInstalled = try isTablePresent()
        return isInstalled
    }

    /// Removes the table and all that is in it; also when it is not there.
    package func removeAll() throws(SystemError) {
        isInstalled = false
        try commit(.removal(firstSequence: nextSequence))
        reached = nil
        _ = ruleset.update(to: [])
    }

    /// Whether the kernel has the table now.
    package func isTablePresent() throws(SystemError) -> Bool {
        let sequence = nextSequence
        nextSequence &+= 1
        let refusals = try socket.send(
            NftablesBatch.tableQuery(sequence: sequence), last: sequence,
            subject: Self.tableName)
        guard let refusal = refusals.first else { return true }
        guard refusal.isNotFound else {
            throw SystemError(
                "NFT_MSG_GETTABLE", errno: refusal.code, subject: Self.tableName,
                detail: refusal.detail)
        }
        return false
    }

    /// Makes connection tracking forget what leads nowhere now; the first failure ends it.
    private func flush(_ flushes: [FlowFlush]) -> SystemError? {
        for flush in flushes {
            let sequence = nextSequence
            nextSequence &+= 1
            let subject = "connections to UDP port \(flush.port)"
            do throws(SystemError) {
                let refusals = try socket.send(
                    flush.message(sequence: sequence), last: sequence, subject: subject)
                // Nothing to forget is no failure.
                if let refusal = refusals.first, !refusal.isNotFound {
                    return SystemError(
                        "IPCTNL_MSG_CT_DELETE", errno: refusal.code, subject: subject,
                        detail: refusal.detail)
                }
            } catch {
                return error
            }
        }
        return nil
    }

    private static let tableName = "table inet \(NftablesBatch.table)"

    private func commit(_ batch: NftablesBatch) throws(SystemError) {
        nextSequence = batch.nextSequence
        let refusals = try socket.send(
            batch.bytes, last: batch.lastSequence, subject: Self.tableName)
        // A refusal of one message says more than that of the whole transaction.
        let first = refusals.first { batch.subject(of: $0.sequence) != .transaction }
        guard let refusal = first ?? refusals.first else { return }
        throw SystemError(
            "nf_tables transaction", errno: refusal.code,
            subject: Self.describe(batch.subject(of: refusal.sequence)), detail: refusal.detail)
    }

    private static func describe(_ subject: NftablesBatch.Subject) -> String {
        switch subject {
        case .table, .transaction: tableName
        case .chain(let name): "chain \(name) of \(tableName)"
        case .rules(let name): "the rules of chain \(name) of \(tableName)"
        case .set(let name): "set \(name) of \(tableName)"
        case .elements(let name): "the elements of set \(name) of \(tableName)"
        }
    }
}
