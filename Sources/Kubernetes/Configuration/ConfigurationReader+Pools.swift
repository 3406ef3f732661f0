import NetworkTypes

extension ConfigurationReader {
    /// `spec` of an IPAddressPool, or an entry of `address-pools`.
    func pool(_ metadata: ObjectMeta, _ spec: FieldReader) -> IPAddressPool {
        var pool = IPAddressPool(metadata: metadata, addresses: addresses(spec))
        pool.autoAssign = spec.bool(name("autoAssign")) ?? true
        pool.avoidBuggyIPs = spec.bool(name("avoidBuggyIPs")) ?? false
        guard dialect == .kinds else { return pool }
        pool.conflictDetection = spec.bool("conflictDetection") ?? true
        pool.retentionSeconds =
            spec.value("retention")?.seconds(in: 0...31_536_000, plainNumbers: true) ?? 0
        if let allocation = spec.reader("serviceAllocation") {
            pool.serviceAllocation = serviceAllocation(allocation)
        }
        return pool
    }

    private func serviceAllocation(
        _ reader: FieldReader
    ) -> IPAddressPool.ServiceAllocation {
        var allocation = IPAddressPool.ServiceAllocation()
        let priorities = Int(Int32.min)...Int(Int32.max)
        allocation.priority = reader.int("priority", in: priorities) ?? 0
        allocation.namespaces = names(reader, "namespaces")
        allocation.namespaceSelectors = reader.labelSelectors("namespaceSelectors")
        allocation.serviceSelectors = reader.labelSelectors("serviceSelectors")
        reader.finish()
        return allocation
    }

    private func addresses(_ spec: FieldReader) -> [AddressRange] {
        let field = spec.required("addresses")
        let values = field?.list() ?? []
        if let field, case .sequence(let sequence) = field.node, sequence.elements.isEmpty {
            field.fail(
                "is empty",
                remedy: "list CIDR blocks or first-last ranges, such as 192.0.2.0/24")
        }
        var entries: [(range: AddressRange, value: FieldValue)] = []
        for value in values {
            guard let range = Self.poolRange(value) else { continue }
            entries.append((range, value))
        }
        Self.refuseOverlaps(entries)
        return entries.map(\.range)
    }

    /// Ranges in order of their first address overlap exactly when one starts before the highest
    /// end so far. The one written later is reported.
    private static func refuseOverlaps(_ entries: [(range: AddressRange, value: FieldValue)]) {
        let order = entries.indices.sorted {
            (entries[$0].range.first, $0) < (entries[$1].range.first, $1)
        }
        guard var widest = order.first else { return }
        for index in order.dropFirst() {
            if entries[index].range.overlaps(entries[widest].range) {
                let (earlier, later) = (min(index, widest), max(index, widest))
                entries[later].value.fail(
                    "\(entries[later].range) overlaps \(entries[earlier].range) of the same pool",
                    remedy: "list every address once")
            }
            if entries[index].range.last >= entries[widest].range.last { widest = index }
        }
    }

    /// `first-last` or CIDR, with the reason when it is neither.
    private static func poolRange(_ value: FieldValue) -> AddressRange? {
        guard let text = value.string() else { return nil }
        if let range = AddressRange(text) {
            checkUse(range, text, value)
            return range
        }
        if let single = IPAddress(text) {
            value.fail(
                "\(single) is a single address, but a range is needed",
                remedy: "write \(single)/\(single.family.bitWidth)")
            return nil
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            .map { IPAddress($0.filter { $0 != " " }) }
        guard ends.count == 2, let first = ends[0], let last = ends[1] else {
            return value.addressRange()
        }
        if first.family != last.family {
            value.fail(
                "\(first) and \(last) are of different families",
                remedy: "give each family its own range")
        } else {
            value.fail(
                "the range runs backwards: \(first) is above \(last)",
                remedy: "write \(last)-\(first)")
        }
        return nil
    }

    private static func checkUse(_ range: AddressRange, _ text: String, _ value: FieldValue) {
        let ends = [range.first, range.last]
        if ends.contains(where: { $0.isMulticast || $0.isLoopback || $0.isUnspecified }) {
            value.fail(
                "\(range) holds multicast, loopback or unspecified addresses",
                remedy: "use addresses that a host can have")
        }
        guard let prefix = Prefix(text), !text.hasPrefix("\(prefix.network)/"),
            let address = text.split(separator: "/").first.flatMap({ IPAddress($0) }),
            address != prefix.network
        else { return }
        value.report(
            .warning, "\(text) has host bits; all of \(prefix) is meant",
            remedy: "write \(prefix), or \(address)-\(range.last) for the rest of the block")
    }
}
