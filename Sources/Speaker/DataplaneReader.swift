import Dataplane
import LinuxNetwork
import NetworkTypes

/// Looks at the kernel's table beside ``DataplaneReconciler``, which goes on changing it meanwhile:
/// with 10,000 Services a look takes a tenth of a second and more, for which no change may wait.
///
/// A look is at the ruleset as it was when the look began. Who asks finds out whether it was
/// changed since.
package actor DataplaneReader {
    /// A table of one moment beside what it should have been.
    struct Look: Sendable {
        let comparison: TableComparison
        /// The transaction that was the kernel's last all the while.
        let generation: UInt32?
    }

    private let socket: NftablesSocket
    private var nextSequence: UInt32 = 1
    private var ledger = UsageLedger()

    /// Looks through a socket that nobody else uses.
    package init(socket: consuming NftablesSocket) { self.socket = socket }

    /// Compares the kernel's table with `ruleset`; `nil` when somebody changed a table meanwhile.
    func look(for ruleset: Ruleset) throws(SystemError) -> Look? {
        let before = try socket.generation(&nextSequence)
        guard let table = try socket.readTableOnce(&nextSequence) else { return nil }
        guard try socket.generation(&nextSequence) == before else { return nil }
        return Look(comparison: TableComparison(table, with: ruleset), generation: before)
    }

    /// How often each Service port and each endpoint was used, as far as looks have told.
    var usages: [ServiceChain.Identity: Ruleset.Usage] { ledger.usages }

    /// The same with what was counted since the last look.
    func usages(of ruleset: Ruleset) throws(SystemError) -> [ServiceChain.Identity: Ruleset.Usage] {
        ledger.add(try socket.readCounters(ruleset.options, &nextSequence), of: ruleset)
        return ledger.usages
    }
}
