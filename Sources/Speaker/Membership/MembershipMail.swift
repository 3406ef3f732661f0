import Membership
import SealedDatagrams

/// What others tell the gossip's thread. It merges, so its size is that of what is wished for.
struct MembershipMail: Sendable {
    /// Who wants to know how the gossip does.
    typealias Question = @Sendable (MembershipStatus) -> Void

    /// The most questions that wait for an answer; the next one gets none.
    static let maximumQuestions = 64

    /// Where other nodes may be found.
    var seeds: [Seed]?
    /// Our own entries that changed; `nil` deletes.
    var entries: [[UInt8]: [UInt8]?] = [:]
    /// Whether everything that is to be said at the start has been said. Until then it is gathered:
    /// the others forget what a former process of this node said at the first word of this one, so
    /// the first word has to be all of it.
    var isIntroduced = false
    /// The keys from now on.
    var keys: KeyRing?
    /// Who wants to know how the gossip does.
    private(set) var questions: [Question] = []
    /// Whether to say goodbye to the others.
    var isLeaving = false
    /// Whether the thread is to end.
    var isEnding = false

    /// Adds a question; returns false when too many wait already.
    mutating func ask(_ question: @escaping Question) -> Bool {
        guard questions.count < Self.maximumQuestions, !isEnding else { return false }
        questions.append(question)
        return true
    }

    /// Takes no more questions; returns those that wait.
    mutating func close() -> [Question] {
        isEnding = true
        defer { questions = [] }
        return questions
    }
}
