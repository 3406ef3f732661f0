// MARK: Messages

extension OutboundFamily {
    /// Whether anything is to be written.
    var hasPending: Bool { !withdrawals.isEmpty || !ready.isEmpty || isMarkDue }

    /// Whether the transfer under way has come to its beginning or its end.
    private var isMarkDue: Bool {
        switch transfer {
        case .none: false
        case .initial: owed == 0 && isPlanned
        case .refresh(let isBegun): !isBegun || owed == 0
        }
    }

    /// Writes one message of withdrawals; false when there are none.
    mutating func writeWithdrawals(into buffer: inout [UInt8]) -> Bool {
        guard !withdrawals.isEmpty else { return false }
        write(withdrawalForm, Chain.none, into: &buffer)
        return true
    }

    /// Writes a mark that is due, or else one message of announcements; false when there was
    /// neither.
    mutating func writeNext(into buffer: inout [UInt8]) -> Bool {
        if isMarkDue {
            writeMark(into: &buffer)
            return true
        }
        let number = ready.first
        guard number != Chain.none else { return false }
        write(forms[Int(number)], number, into: &buffer)
        // What is left of these attributes waits for the others to have had a message each.
        if ready.first == number {
            ready.remove(number, &readyLinks)
            ready.append(number, &readyLinks)
        }
        return true
    }

    /// Writes one message with as many prefixes of a chain as fit: that of some attributes, or of
    /// the withdrawals for none.
    private mutating func write(
        _ form: UpdateForm, _ number: UInt32, into buffer: inout [UInt8]
    ) {
        guard let session else { return }
        let start = buffer.count
        let end = start + session.parameters.maximumLength - form.tail.count
        buffer.append(contentsOf: form.head)
        while true {
            let slot = number == Chain.none ? withdrawals.first : chains[Int(number)].first
            guard slot != Chain.none, append(slot, to: &buffer, end: end) else { break }
            unchain(slot)
            note(slot, told: number)
            settle(slot)
        }
        form.finish(start, in: &buffer)
        figures.updates += 1
    }

    /// Appends a prefix as in RFC 4271 §4.3: its length in bits, then as many bytes as hold them;
    /// false when it would go beyond `end`.
    private func append(_ slot: UInt32, to buffer: inout [UInt8], end: Int) -> Bool {
        let length = store.length(slot)
        let bytes = (Int(length) + 7) / 8
        guard buffer.count + 1 + bytes <= end else { return false }
        buffer.append(length)
        let bits = store.bits(slot)
        var shift = Bits.bitWidth
        for _ in 0..<bytes {
            shift -= 8
            buffer.append(UInt8(truncatingIfNeeded: bits &>> Bits(shift)))
        }
        return true
    }

    private mutating func writeMark(into buffer: inout [UInt8]) {
        switch transfer {
        case .none:
            return
        case .initial:
            write(withdrawalForm, Chain.none, into: &buffer)
        case .refresh(isBegun: false):
            append(.begin, to: &buffer)
            transfer = .refresh(isBegun: true)
            return
        case .refresh(isBegun: true):
            if session?.parameters.hasEnhancedRouteRefresh == true { append(.end, to: &buffer) }
        }
        transfer = .none
        if isRefreshAsked { beginRefresh() }
    }

    private func append(_ mark: RouteRefreshMessage.Kind, to buffer: inout [UInt8]) {
        let message = BGPMessage.routeRefresh(RouteRefreshMessage(family: family, kind: mark))
        buffer.append(contentsOf: message.encoded(context: DecodingContext()))
    }
}
