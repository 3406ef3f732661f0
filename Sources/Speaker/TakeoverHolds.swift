import NetworkTypes
import Synchronization

/// Which interfaces of this node found that the owner of an address still answers, while the
/// address was to be taken over.
///
/// A node may be on several LANs and the owner on one of them: where nobody knows the owner, nobody
/// objects. So what one interface found holds the others back.
final class TakeoverHolds: Sendable {
    private let held = Mutex<[IPAddress: Set<String>]>([:])
    private let changes = Atomic<UInt64>(0)

    /// Grows with every change, so that a thread need not look when there was none.
    var version: UInt64 { changes.load(ordering: .acquiring) }

    /// The interface found the owner answering.
    func hold(_ address: IPAddress, on interface: String) {
        change { $0[address, default: []].insert(interface).inserted }
    }

    /// The interface answers for the address, or is not to any more.
    func release(_ address: IPAddress, on interface: String) {
        change { held in
            guard held[address]?.remove(interface) != nil else { return false }
            if held[address]?.isEmpty == true { held[address] = nil }
            return true
        }
    }

    /// The interface hears nothing any more.
    func releaseAll(on interface: String) {
        change { held in
            let mine = held.filter { $0.value.contains(interface) }.map(\.key)
            for address in mine {
                held[address]?.remove(interface)
                if held[address]?.isEmpty == true { held[address] = nil }
            }
            return !mine.isEmpty
        }
    }

    /// What interfaces other than this one found.
    func elsewhere(than interface: String) -> Set<IPAddress> {
        held.withLock { held in
            Set(held.filter { $0.value.contains { $0 != interface } }.keys)
        }
    }

    private func change(_ edit: (inout [IPAddress: Set<String>]) -> Bool) {
        guard held.withLock({ edit(&$0) }) else { return }
        changes.add(1, ordering: .releasing)
    }
}
