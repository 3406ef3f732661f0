import Dataplane
import Glibc
import LinuxNetwork
import NetworkTypes

/// Keeps this node's nftables table what the Services say it should be.
///
/// Level-based: it is told what should be, not what happened, and finds the difference itself.
/// Three verbs do that: what came or changed is *updated* and what went is *deleted*, both by the
/// difference to what was wanted before, in one transaction that the kernel takes whole or not at
/// all; and what nobody wants is *pruned*, by a comparison with what the kernel really has.
///
/// ```
///  desired ──► Ruleset ──difference──► kernel         (each change)
///                 └────comparison────► kernel's dump  (at the start; when somebody else changed
///                                                      the table; when a difference was refused;
///                                                      now and then)
/// ```
///
/// A comparison repairs what is wrong and leaves the rest alone, so that counters, clients'
/// affinity and open connections live on. Only a table that cannot be repaired is replaced, in one
/// transaction, so that there is no moment without rules.
///
/// The table is `inet martlet`; no other table is read or written.
package actor DataplaneReconciler {
    private let socket: NftablesSocket
    private let reader: DataplaneReader
    private let options: Ruleset.Options
    private let lock: DataplaneLock?
    let monitor: NftablesMonitor?
    /// By this number the kernel names our own changes.
    let socketPort: UInt32
    private let isForwarding: @Sendable (IPAddress.Family) -> Bool?

    private(set) var ruleset: Ruleset
    /// What the ruleset was last brought up to, where that is known.
    private var reached: ServiceChains?
    /// Whether the kernel's table has been looked at.
    private var hasBegun = false
    /// Whether the kernel's table is what the ruleset says, as far as is known.
    private(set) var isInstalled = false
    /// The transaction after which the table was surely right, where no other came before ours.
    private(set) var trusted: UInt32?
    private var nextSequence: UInt32 = 1
    /// Counts our transactions, so that a look knows whether one came between.
    private var edition: UInt64 = 0
    /// How often an installed table was compared.
    package private(set) var comparisons = 0
    /// How often in succession no reading of the table was of one moment.
    private var tornReadings = 0
    /// Connections to forget once the rules are in the kernel: those of a change that failed are
    /// still due after the next one.
    private var owed: [FlowSelection] = []

    /// Starts with a table in an unknown state: the first `reconcile` looks at what a former run
    /// left and makes it right.
    ///
    /// - Parameters:
    ///   - reader: looks at the table in the same network namespace.
    ///   - lock: the right to keep the table; held as long as this lives.
    ///   - monitor: tells of what others do to the table, once ``run(_:)`` runs.
    ///   - isForwarding: whether this node forwards a family, `nil` when unknown.
    package init(
        socket: consuming NftablesSocket, reader: DataplaneReader, lock: DataplaneLock? = nil,
        monitor: NftablesMonitor? = nil, options: Ruleset.Options = Ruleset.Options(),
        isForwarding: @escaping @Sendable (IPAddress.Family) -> Bool? = NftablesForwarding.isOn
    ) {
        socketPort = socket.port
        self.socket = socket
        self.reader = reader
        self.lock = lock
        self.monitor = monitor
        self.options = options
        self.isForwarding = isForwarding
        ruleset = Ruleset(options: options)
    }

    /// The data plane of the network namespace of the calling thread.
    ///
    /// - Throws: `DataplaneLock.Held` when another process keeps it; else `SystemError`.
    package static func open(
        options: Ruleset.Options = Ruleset.Options()
    ) throws -> DataplaneReconciler {
        let lock = try DataplaneLock()
        let monitor = try NftablesMonitor()
        return DataplaneReconciler(
            socket: try NftablesSocket(), reader: DataplaneReader(socket: try NftablesSocket()),
            lock: lock, monitor: monitor, options: options)
    }

    /// Tells those whom the lock refused who has it, so that there is room for more of them.
    nonisolated func answerAskers() { lock?.answer() }

    /// Makes the table what `desired` says.
    ///
    /// - Throws: when the kernel took neither the difference nor the whole, or when others change
    ///   tables so often that ours cannot be read. The table is then as it was, and the next call
    ///   compares and mends it.
    @discardableResult
    package func reconcile(_ desired: [ServiceChain]) throws(SystemError) -> Outcome {
        let found = try takeOver()
        reached = nil
        return try commit(ruleset.update(to: desired), found)
    }

    /// Makes the table what `desired` says. Of a state that differs little from the one before only
    /// what differs is looked at.
    ///
    /// - Throws: as above.
    @discardableResult
    package func reconcile(_ desired: ServiceChains) throws(SystemError) -> Outcome {
        let found = try takeOver()
        let changes = reached.flatMap { desired.changes(since: $0) }
        reached = desired
        if let changes, let difference = ruleset.update(only: changes) {
            return try commit(difference, found)
        }
        return try commit(ruleset.update(to: desired.all()), found)
    }

    /// So often a look is repeated because something changed meanwhile.
    private static let glances = 4

    /// Compares the kernel's table with what it should be, and makes it right; `nil` when it is, or
    /// when nothing has been installed yet. Changes go on meanwhile.
    ///
    /// Where tables go on changing, no look may ever be at one moment. Then the table is compared
    /// here, so that no change of ours comes between, and changes wait for it.
    ///
    /// - Parameters:
    ///   - canWait: rather leaves it at that, when there is no moment for a look.
    ///   - isDoubtful: whether anything says that the table may be wrong, so that after many
    ///     readings that were of no one moment it is better replaced.
    /// - Throws: when the table is wrong and could not be made right; `ESTALE` when it could not be
    ///   read for others' changes.
    package func verify(
        canWait: Bool = false, isDoubtful: Bool = true
    ) async throws(SystemError) -> Outcome? {
        guard isInstalled else { return nil }
        comparisons += 1
        var outcome = described()
        for _ in 0..<Self.glances {
            let before = edition
            // A table that the reader cannot read is tried once more below.
            let look = (try? await reader.look(for: ruleset)) ?? nil
            guard isInstalled else { return nil }
            guard let look, edition == before else { continue }
            if look.comparison.remedy == .none {
                trusted = look.generation
                return nil
            }
            // It is wrong. Should it not be mended now, the next change does that.
            isInstalled = false
            guard try socket.generation(&nextSequence) == look.generation else {
                isInstalled = true
                continue
            }
            trusted = look.generation
            try apply(look.comparison, &outcome)
            return outcome
        }
        if canWait { return nil }
        try mend(nil, &outcome, isDoubtful: isDoubtful)
        return outcome.isChanged ? outcome : nil
    }

    /// Removes the table and all that is in it; also when it is not there.
    package func removeAll() throws(SystemError) {
        isInstalled = false
        hasBegun = true
        edition &+= 1
        try send(.removal(firstSequence: nextSequence))
        reached = nil
        _ = ruleset.update(to: [])
    }

    /// How often each Service port and each endpoint was used, as the kernel counts it.
    ///
    /// - Throws: when the kernel does not tell.
    package func usage() async throws(SystemError) -> [ServiceChain.Identity: Ruleset.Usage] {
        guard isInstalled, options.counters != .none else { return await reader.usages }
        return try await reader.usages(of: ruleset)
    }

    /// Whether the kernel has the table now.
    package func isTablePresent() throws(SystemError) -> Bool {
        try socket.isTablePresent(&nextSequence)
    }
}

extension DataplaneReconciler {
    /// At the first call what the kernel has, and a ruleset that goes on with it; then `nil`.
    private func takeOver() throws(SystemError) -> KernelTable? {
        guard !hasBegun else { return nil }
        trusted = try? socket.generation(&nextSequence)  // as in `mend`
        let found = try readTable(isDoubtful: true)
        hasBegun = true
        ruleset = Ruleset(options: options, adopting: found?.adoption ?? Ruleset.Adoption())
        return found
    }

    /// What is told in any case.
    private func described() -> Outcome {
        var outcome = Outcome()
        outcome.omissions = ruleset.omissions
        outcome.clashes = ruleset.clashes
        outcome.familiesNotForwarded = IPAddress.Family.allCases.filter { family in
            ruleset.endpointCounts[family, default: 0] > 0 && isForwarding(family) == false
        }
        return outcome
    }

    /// Brings the kernel in step with the ruleset.
    private func commit(
        _ difference: RulesetDiff, _ found: KernelTable?
    ) throws(SystemError) -> Outcome {
        var outcome = described()
        if let found {
            outcome.isTakeover = true
            let services = ruleset.services
            owe(FlowSelection(besides: services, of: found.strayAddresses(besides: services)))
            try mend(found, &outcome)
            forget(&outcome)
            return outcome
        }
        owe(FlowSelection(difference.flushes))
        outcome.omittedFlushes = difference.omittedFlushes
        if isInstalled {
            guard !difference.isEmpty else { return outcome }
            do throws(SystemError) {
                try change(difference)
                outcome.isChanged = true
                forget(&outcome)
                return outcome
            } catch {
                outcome.refusal = error
            }
        }
        isInstalled = false
        try mend(nil, &outcome)
        forget(&outcome)
        return outcome
    }

    /// Makes the table right whatever it is like: by what differs, or as a whole.
    private func mend(
        _ known: KernelTable?, _ outcome: inout Outcome, isDoubtful: Bool = true
    ) throws(SystemError) {
        var table = known
        if table == nil {
            // Without the number the next lost message only means one comparison more.
            trusted = try? socket.generation(&nextSequence)
            table = try readTable(isDoubtful: isDoubtful)
        }
        try apply(table.map { TableComparison($0, with: ruleset) }, &outcome)
    }

    /// So often in succession a table that others' changes tore may be read before it is replaced.
    private static let tornReadingsBorne = 10

    /// The table; `nil` when it cannot be read, so that it is to be replaced.
    ///
    /// Whoever changes any table tears the reading of ours, which may be quite right, and whose
    /// affinity and counters are then worth more than to be certain of it at once.
    private func readTable(isDoubtful: Bool) throws(SystemError) -> KernelTable? {
        do throws(SystemError) {
            let table = try socket.readTable(&nextSequence)
            tornReadings = 0
            return table
        } catch {
            guard error.code == ESTALE else { return nil }
            guard isDoubtful else { throw error }
            tornReadings += 1
            guard tornReadings > Self.tornReadingsBorne else { throw error }
            tornReadings = 0
            return nil
        }
    }

    /// Does what a comparison says; without one the table is replaced.
    private func apply(
        _ comparison: TableComparison?, _ outcome: inout Outcome
    ) throws(SystemError) {
        isInstalled = false
        switch comparison?.remedy ?? .replacement("it could not be read") {
        case .none:
            isInstalled = true
            return
        case .repair(let difference):
            outcome.findings = comparison?.findings
            do throws(SystemError) {
                try change(difference)
                isInstalled = true
                outcome.isChanged = true
                return
            } catch {
                outcome.refusal = outcome.refusal ?? error
            }
        case .replacement(let reason):
            if comparison != nil { outcome.replacementReason = reason }
        }
        try change(ruleset.installation)
        isInstalled = true
        outcome.isChanged = true
        outcome.isReplaced = true
    }

    /// A transaction of ours. When it is the only one since the table was known to be right, the
    /// table is right after it too; after one that replaces it in any case.
    private func change(_ difference: RulesetDiff) throws(SystemError) {
        edition &+= 1
        let batch = NftablesBatch(
            difference, comment: "kept by Martlet", firstSequence: nextSequence)
        // Without the numbers the next lost message only means one comparison more.
        let before = try? socket.generation(&nextSequence)
        try send(batch)
        let after = try? socket.generation(&nextSequence)  // the same
        let isKnown = difference.replacesTable || trusted == before
        if let before, let after, after == before &+ 1, isKnown {
            trusted = after
        } else {
            trusted = nil
        }
    }

    private func send(_ batch: NftablesBatch) throws(SystemError) {
        nextSequence = batch.nextSequence
        let refusals = try socket.send(
            batch.bytes, last: batch.lastSequence, subject: NftablesSocket.tableName)
        // A refusal of one message says more than that of the whole transaction.
        let first = refusals.first { batch.subject(of: $0.sequence) != .transaction }
        guard let refusal = first ?? refusals.first else { return }
        throw SystemError(
            "nf_tables transaction", errno: refusal.code,
            subject: batch.subject(of: refusal.sequence).words, detail: refusal.detail)
    }

    /// So many failed changes in succession are remembered one by one.
    private static let changesOwed = 64

    /// Remembers connections to forget. Beyond the bound all that there are will be looked at.
    private func owe(_ selection: FlowSelection) {
        guard !selection.isEmpty else { return }
        if owed.count == Self.changesOwed {
            owed = [FlowSelection(besides: ruleset.services, of: [])]
        }
        owed.append(selection)
    }

    /// Makes connection tracking forget what leads nowhere now. What it refuses is not asked again:
    /// such connections end by their own time-out.
    private func forget(_ outcome: inout Outcome) {
        for selection in owed {
            do throws(SystemError) {
                outcome.forgottenFlows += try socket.forget(selection, &nextSequence)
            } catch {
                outcome.flushFailure = error
            }
        }
        owed = []
    }

    /// Whether nobody can have changed the table since it was known to be right.
    func isUntouched() -> Bool {
        guard isInstalled, let trusted else { return false }
        // Without an answer it is better to look.
        return (try? socket.generation(&nextSequence)) == trusted
    }
}

extension NftablesBatch.Subject {
    fileprivate var words: String {
        switch self {
        case .table, .transaction: NftablesSocket.tableName
        case .chain(let name): "chain \(name) of \(NftablesSocket.tableName)"
        case .rules(let name): "the rules of chain \(name) of \(NftablesSocket.tableName)"
        case .set(let name): "set \(name) of \(NftablesSocket.tableName)"
        case .elements(let name): "the elements of set \(name) of \(NftablesSocket.tableName)"
        }
    }
}
