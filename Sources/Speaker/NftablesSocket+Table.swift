import Dataplane
import Glibc
import LinuxNetwork
import NetworkTypes

/// Reading Martlet's table, and the connections that it made, from the kernel.
extension NftablesSocket {
    package static let tableName = "table inet \(NftablesBatch.table)"

    /// So often a table is read again when somebody changed something meanwhile. Each change of
    /// another table tears it too, so that a busy neighbour may do so a few times.
    private static let attempts = 8

    /// A table that needs more to be told is not ours: four times that of a full one.
    private static let tableLimit = 1 << 30

    /// The whole table as it is at one moment, but for what the kernel itself puts into it.
    package func readTable(_ sequence: inout UInt32) throws(SystemError) -> KernelTable {
        for _ in 0..<Self.attempts {
            if let table = try readTableOnce(&sequence) { return table }
        }
        throw SystemError(
            "nf_tables dump", errno: ESTALE, subject: Self.tableName,
            detail: "somebody goes on changing tables", remedy: "it is tried again by itself")
    }

    /// The same; `nil` when somebody changed something meanwhile.
    func readTableOnce(_ sequence: inout UInt32) throws(SystemError) -> KernelTable? {
        var table = KernelTable()
        let absent = try ask(
            TableQuery.table(sequence: sequence), sequence: sequence, subject: Self.tableName
        ) { table.read(type: $0, payload: $1) }
        sequence &+= 1
        if let absent {
            guard absent.isNotFound else { throw Self.error(absent.code) }
            return table
        }
        for question in [TableQuery.chains, TableQuery.rules, TableQuery.sets] {
            guard try read(question, &table, &sequence), !table.isTorn else { return nil }
        }
        for set in table.readableSets {
            guard try read({ TableQuery.elements(of: set, sequence: $0) }, &table, &sequence),
                !table.isTorn
            else { return nil }
        }
        return table
    }

    /// The elements that have counted anything, with their counters. They are read set by set while
    /// packets pass, so they are of nearly one moment and of no matter whether anything else
    /// changed.
    package func readCounters(
        _ options: Ruleset.Options, _ sequence: inout UInt32
    ) throws(SystemError) -> KernelTable {
        var table = KernelTable(countersToo: true, usedOnly: true)
        _ = try read(TableQuery.sets, &table, &sequence)
        for set in table.readableSets where set.counts(options) {
            _ = try read({ TableQuery.elements(of: set, sequence: $0) }, &table, &sequence)
        }
        return table
    }

    /// Whether the table is there.
    package func isTablePresent(_ sequence: inout UInt32) throws(SystemError) -> Bool {
        let refusal = try ask(
            TableQuery.table(sequence: sequence), sequence: sequence, subject: Self.tableName
        ) { _, _ in }
        sequence &+= 1
        guard let refusal else { return true }
        guard refusal.isNotFound else { throw Self.error(refusal.code) }
        return false
    }

    /// The number of the last transaction in this network namespace, whoever made it.
    package func generation(_ sequence: inout UInt32) throws(SystemError) -> UInt32? {
        var generation: UInt32?
        _ = try ask(
            TableQuery.generation(sequence: sequence), sequence: sequence,
            subject: "nf_tables"
        ) { generation = TableQuery.generation(type: $0, payload: $1) ?? generation }
        sequence &+= 1
        return generation
    }

    /// False when the answer tells of several moments.
    private func read(
        _ question: (UInt32) -> [UInt8], _ table: inout KernelTable, _ sequence: inout UInt32
    ) throws(SystemError) -> Bool {
        let end = try dump(
            question(sequence), sequence: sequence, limit: Self.tableLimit,
            subject: Self.tableName
        ) { table.read(type: $0, payload: $1) }
        sequence &+= 1
        switch end {
        case .complete: return true
        // What was there a moment ago has gone meanwhile.
        case .interrupted, .refused(ENOENT): return false
        case .refused(let code): throw Self.error(code)
        case .tooLong:
            throw SystemError(
                "nf_tables dump", errno: EMSGSIZE, subject: Self.tableName,
                detail: "it is larger than any of ours")
        }
    }

    private static func error(_ code: Int32) -> SystemError {
        SystemError("nf_tables dump", errno: code, subject: tableName)
    }
}

extension NftablesSocket {
    /// So many connections are forgotten at once; those beyond it end by their own time-out.
    private static let maximumFlows = 65_536
    private static let flowLimit = 1 << 30
    private static let flowsPerDatagram = 128

    /// Makes connection tracking forget the connections that are selected.
    ///
    /// - Returns: how many.
    /// - Throws: when the kernel refuses, and when there are more than the bound.
    package func forget(
        _ selection: FlowSelection, _ sequence: inout UInt32
    ) throws(SystemError) -> Int {
        var deletions: [FlowDeletion] = []
        var beyond = 0
        let subject = "tracked connections"
        for question in selection.questions {
            let end = try dump(
                question.message(sequence: sequence), sequence: sequence,
                limit: Self.flowLimit, subject: subject
            ) { type, payload in
                guard let entry = FlowEntry(type: type, payload: payload),
                    selection.contains(entry)
                else { return }
                guard deletions.count < Self.maximumFlows else {
                    beyond += 1
                    return
                }
                deletions.append(FlowEntry.deletion(of: payload))
            }
            sequence &+= 1
            switch end {
            case .complete, .interrupted: break
            case .refused(let code):
                throw SystemError("IPCTNL_MSG_CT_GET", errno: code, subject: subject)
            case .tooLong: beyond += 1
            }
        }
        var forgotten = 0
        for start in stride(from: 0, to: deletions.count, by: Self.flowsPerDatagram) {
            let part = deletions[start..<min(deletions.count, start + Self.flowsPerDatagram)]
            forgotten += try forget(part, &sequence)
        }
        if beyond > 0 {
            throw SystemError(
                "IPCTNL_MSG_CT_DELETE", errno: E2BIG, subject: subject,
                detail: "\(forgotten) were ended, and more lead nowhere",
                remedy: "they end by their own time-out; conntrack -D ends them at once")
        }
        return forgotten
    }

    private func forget(
        _ deletions: ArraySlice<FlowDeletion>, _ sequence: inout UInt32
    ) throws(SystemError) -> Int {
        var bytes: [UInt8] = []
        for (offset, deletion) in deletions.enumerated() {
            bytes += deletion.message(
                sequence: sequence, isAnswered: offset == deletions.count - 1)
            sequence &+= 1
        }
        let refusals = try send(bytes, last: sequence &- 1, subject: "tracked connections")
        // One that has ended by itself is no failure.
        if let refusal = refusals.first(where: { !$0.isNotFound }) {
            throw SystemError(
                "IPCTNL_MSG_CT_DELETE", errno: refusal.code, subject: "tracked connections",
                detail: refusal.detail)
        }
        return deletions.count - refusals.count
    }
}
