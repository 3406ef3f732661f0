import Layer2
import LinuxNetwork
import NetworkTypes

/// What the speaker wants of the thread of one interface. Wishes merge: of several about one
/// address, the link or the peers only the last counts, so the size is bounded by the plan's.
struct Layer2Mail: Sendable {
    /// Who wants to know the state, and takes it from the thread.
    typealias Question = @Sendable (Layer2InterfaceState) -> Void

    /// The most questions that wait for an answer; the next one gets none.
    static let maximumQuestions = 64

    /// Addresses to announce with these settings, or (`nil`) to let go.
    var wishes: [IPAddress: AnnouncementSettings?] = [:]
    /// The link as it is now.
    var link: Link?
    /// The link-layer addresses of the other speakers.
    var peers: Set<MACAddress>?
    /// The link-layer addresses of this node's other interfaces that are up.
    var siblings: Set<MACAddress>?
    /// The addresses of other nodes, to be asked for a sign of life.
    var companions: [IPAddress]?
    /// Whether other nodes are heard.
    var isolation: Layer2Isolation?
    /// Addresses to announce in a burst again.
    var reannouncements: Set<IPAddress> = []
    /// Addresses of other nodes to watch, with the link-layer addresses of their owners.
    var watched: [IPAddress: Set<MACAddress>]?
    /// Watched addresses to ask for now.
    var doubts: Set<IPAddress> = []
    /// Who wants to know the state.
    private(set) var questions: [Question] = []
    /// Whether the thread is to end.
    var isStopping = false

    /// Adds a question; returns false when too many wait already.
    mutating func ask(_ question: @escaping Question) -> Bool {
        guard questions.count < Self.maximumQuestions, !isStopping else { return false }
        questions.append(question)
        return true
    }

    /// Takes no more questions; returns those that wait.
    mutating func close() -> [Question] {
        isStopping = true
        defer { questions = [] }
        return questions
    }
}
