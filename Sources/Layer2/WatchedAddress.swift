import NetworkTypes

/// One address that another node owns.
struct WatchedAddress: Equatable, Sendable {
    let address: IPAddress
    var owner: Set<MACAddress>
    var verdict = AnswerWatch.Verdict.fine
    var isAsking = false
    /// Who answered in the round that is open.
    var answers: [MACAddress] = []
    /// Rounds in a row without an answer, and when the first of them began.
    var missed = 0
    var missedSince = Instant(nanoseconds: .min)
    /// Rounds in a row in which others than the owner answered.
    var crowded = 0

    init(_ address: IPAddress, owner: Set<MACAddress>) {
        self.address = address
        self.owner = owner
    }

    mutating func note(_ station: MACAddress) {
        guard answers.count < AnswerWatch.maximumAnswers, !answers.contains(station) else {
            return
        }
        answers.append(station)
    }

    /// One station answered, and not the wrong one. An owner with two interfaces on the LAN is one.
    var isAnsweredByOwner: Bool {
        owner.isEmpty ? answers.count == 1 : owner.isSuperset(of: answers)
    }

    mutating func forgetDoubts() {
        missed = 0
        crowded = 0
    }
}
