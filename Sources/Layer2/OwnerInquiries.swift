import NetworkTypes

/// Questions for the node addresses of former owners: each asked once, however many addresses it
/// had. At most 64 at a time; for more there is no report.
struct OwnerInquiries: Equatable, Sendable {
    struct Inquiry: Equatable, Sendable {
        let askedAt: Instant
        var isAnswered = false
        var isReported = false

        var deadline: Instant {
            askedAt
                + (isReported
                    ? Announcer.Timing.ownerInterval
                    : Announcer.Timing.checkInterval * Announcer.Timing.checkProbes)
        }
    }

    static let maximum = 64

    private var inquiries: [IPAddress: Inquiry] = [:]

    var isEmpty: Bool { inquiries.isEmpty }

    var nextDeadline: Instant? {
        inquiries.isEmpty ? nil : inquiries.values.map(\.deadline).min()
    }

    /// Whether `owner` is to be asked now.
    mutating func begin(_ owner: IPAddress, at now: Instant) -> Bool {
        guard inquiries[owner] == nil, inquiries.count < Self.maximum else { return false }
        inquiries[owner] = Inquiry(askedAt: now)
        return true
    }

    mutating func heard(_ address: IPAddress) { inquiries[address]?.isAnswered = true }

    /// What is known at the end of the check; and those long answered are forgotten.
    mutating func results(at now: Instant) -> [(owner: IPAddress, isAnswered: Bool)] {
        var results: [(IPAddress, Bool)] = []
        for (owner, inquiry) in inquiries.sorted(by: { $0.key < $1.key })
        where inquiry.deadline <= now {
            if inquiry.isReported {
                inquiries[owner] = nil
            } else {
                inquiries[owner]?.isReported = true
                results.append((owner, inquiry.isAnswered))
            }
        }
        return results
    }
}

extension Announcer {
    /// Asks for the node address of a former owner, along with the first question for an address
    /// that it had.
    mutating func inquire(
        about owner: IPAddress?, at now: Instant, _ actions: inout [Action]
    ) {
        guard let owner, !owner.isUnspecified, !owner.isMulticast, slots[owner] == nil,
            !witnesses.ownAddresses.contains(owner), inquiries.begin(owner, at: now)
        else { return }
        sendProbe(for: owner, at: now, &actions)
    }

    mutating func runInquiries(at now: Instant, _ actions: inout [Action]) {
        guard !inquiries.isEmpty else { return }
        for (owner, isAnswered) in inquiries.results(at: now) {
            actions.append(.formerOwnerAnswers(owner, isAnswered))
        }
    }
}
