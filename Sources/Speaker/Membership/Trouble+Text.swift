import Membership

extension Trouble {
    /// One sentence for the log.
    var text: String {
        switch self {
        case .nameCollision(let first, let second):
            "the node names \(first) and \(second) have the same identifier; \(second) is left out"
        case .nameTaken(let address):
            "a speaker at \(address) uses this node's name"
        case .tooManyMembers(let name): "there are too many members; \(name) is left out"
        case .entryRefused(_, let refusal): "an entry of ours cannot be spread: \(refusal)"
        case .copyRefused(_, let refusal): "entries of another member are not taken: \(refusal)"
        case .badLink(let name): "others hear \(name) well; only the way between it and us is bad"
        case .clockBehind: "the clock was set back since this node's last start"
        case .reassessmentUnfinished:
            "what others know could not be learned in time; answering again without it"
        }
    }

    /// What the reader can do.
    var remedy: String {
        switch self {
        case .nameCollision, .nameTaken: "give each node its own name (--node)"
        case .tooManyMembers: "look for speakers that do not belong to this cluster"
        case .entryRefused, .copyRefused: "fewer addresses for each node; see the bounds"
        case .badLink: "look at cables, ports and filters between the two"
        case .clockBehind: "nothing is to be done"
        case .reassessmentUnfinished: "look for loss between the nodes"
        }
    }
}
