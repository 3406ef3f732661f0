import NetworkTypes

/// The Services that want more than they could be given, and what each of them waits for.
///
/// First come, first served: a Service draws a ticket when it starts to wait, and keeps it until
/// it has everything or is gone. What it waits for is known exactly, so a freed address wakes
/// those it can help, one by one until it is taken again, and nobody else. The list holds no more
/// entries than there are Services.
struct WaitingList: Sendable {
    /// Something that must change before a request can be met.
    enum Blocker: Hashable, Sendable {
        /// The pools.
        case configuration
        /// No address of the family is free in the pool.
        case space(pool: Int, IPAddress.Family)
        /// The address is not free, or not to be shared.
        case address(IPAddress)
        /// No address shared under the key has these ports free.
        case sharing(SharingKey)
    }

    private struct Waiter {
        let ticket: UInt64
        /// Pool index times two, plus one for IPv6: there may be many, so they are kept small.
        var spaces: [UInt32]
        var others: [Blocker]

        var blockers: [Blocker] {
            others
                + spaces.map { .space(pool: Int($0 / 2), $0.isMultiple(of: 2) ? .ipv4 : .ipv6) }
        }
    }

    private var waiters: [ServiceName: Waiter] = [:]
    private var services: [UInt64: ServiceName] = [:]
    private var lastTicket: UInt64 = 0
    /// The tickets that wait for each blocker.
    private var queues: [Blocker: RunSet] = [:]
    /// The blockers that have given way, each with the first ticket not yet called.
    private var opened: [Blocker: UInt128] = [:]

    /// How many Services wait.
    var count: Int { waiters.count }

    /// Whether the Service waits.
    func contains(_ service: ServiceName) -> Bool { waiters[service] != nil }

    /// Puts a Service on the list, or changes what it waits for; its turn stays the same.
    mutating func wait(_ service: ServiceName, for blockers: Set<Blocker>) {
        var spaces: [UInt32] = []
        var others: [Blocker] = [.configuration]
        for blocker in blockers {
            if case .space(let pool, let family) = blocker {
                spaces.append(UInt32(pool) * 2 + (family == .ipv4 ? 0 : 1))
            } else {
                others.append(blocker)
            }
        }
        let ticket: UInt64
        if let known = waiters[service] {
            ticket = known.ticket
            leaveQueues(known)
        } else {
            lastTicket += 1
            ticket = lastTicket
            services[ticket] = service
        }
        let waiter = Waiter(ticket: ticket, spaces: spaces, others: others)
        waiters[service] = waiter
        for blocker in waiter.blockers {
            queues[blocker, default: RunSet()].insert(UInt128(ticket))
        }
    }

    /// Takes a Service off the list.
    mutating func remove(_ service: ServiceName) {
        guard let waiter = waiters.removeValue(forKey: service) else { return }
        services[waiter.ticket] = nil
        leaveQueues(waiter)
    }

    private mutating func leaveQueues(_ waiter: Waiter) {
        for blocker in waiter.blockers {
            queues[blocker]?.remove(UInt128(waiter.ticket))
            if queues[blocker]?.isEmpty == true {
                queues[blocker] = nil
                opened[blocker] = nil
            }
        }
    }

    /// A blocker gave way: those who wait for it are called, from the first.
    mutating func open(_ blocker: Blocker) {
        if queues[blocker] != nil { opened[blocker] = 0 }
    }

    /// The pools are others now: nobody waits for a space of the old ones, and all are called.
    mutating func reconfigure() {
        for (service, waiter) in waiters where !waiter.spaces.isEmpty {
            waiters[service]?.spaces = []
        }
        queues = queues.filter { !$0.key.isSpace }
        opened = opened.filter { !$0.key.isSpace }
        open(.configuration)
    }

    /// Calls the next Service whose wish may be met now, each once for every opening.
    ///
    /// `isShut` says that an opening has been used up.
    mutating func next(isShut: (Blocker) -> Bool) -> ServiceName? {
        var lowest: UInt128?
        for (blocker, cursor) in opened {
            guard !isShut(blocker), let ticket = queues[blocker]?.first(from: cursor) else {
                opened[blocker] = nil
                continue
            }
            lowest = min(lowest ?? ticket, ticket)
        }
        guard let lowest else { return nil }
        for (blocker, cursor) in opened where cursor <= lowest {
            opened[blocker] = lowest + 1
        }
        return services[UInt64(lowest)]
    }
}

extension WaitingList.Blocker {
    /// Whether it is about a pool's free space.
    var isSpace: Bool {
        if case .space = self { true } else { false }
    }
}
