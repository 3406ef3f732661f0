import Kubernetes
import NetworkTypes

/// Finds the Services that may ask for other routes than before, without looking into those that
/// share their storage with what they were.
enum RouteDifference {
    static func services(
        from old: [ObjectName: Service], to new: [ObjectName: Service],
        into changed: inout Set<ObjectName>
    ) {
        // At once, where both share their storage, as they do when only endpoints changed.
        guard old != new else { return }
        walk(from: old, to: new, into: &changed) { index, former in
            asksOtherwise(new.values[index], old.values[former])
        }
    }

    static func slices(
        from old: [ObjectName: [EndpointSlice]], to new: [ObjectName: [EndpointSlice]],
        into changed: inout Set<ObjectName>
    ) {
        walk(from: old, to: new, into: &changed) { index, former in
            new.values[index] != old.values[former]
        }
    }

    /// Adds the keys that are new, gone, or differ.
    ///
    /// A dictionary that was changed a little after it was copied keeps its order. So both are
    /// walked side by side, and names are looked up only where the orders part.
    @inline(__always)
    private static func walk<Value>(
        from old: [ObjectName: Value], to new: [ObjectName: Value],
        into changed: inout Set<ObjectName>,
        differ: (
            _ index: Dictionary<ObjectName, Value>.Index,
            _ former: Dictionary<ObjectName, Value>.Index
        ) -> Bool
    ) {
        var found = 0
        var expected = old.startIndex
        var index = new.startIndex
        while index != new.endIndex {
            defer { new.formIndex(after: &index) }
            if expected == old.endIndex || old.keys[expected] != new.keys[index] {
                guard let former = old.index(forKey: new.keys[index]) else {
                    changed.insert(new.keys[index])
                    continue
                }
                expected = former
            }
            found += 1
            if differ(index, expected) { changed.insert(new.keys[index]) }
            old.formIndex(after: &expected)
        }
        guard found < old.count else { return }
        for name in old.keys where new.index(forKey: name) == nil { changed.insert(name) }
    }

    private static func asksOtherwise(_ left: Service, _ right: Service) -> Bool {
        left.ingress != right.ingress || left.kind != right.kind
            || left.externalTrafficPolicy != right.externalTrafficPolicy
            || left.metadata.labels != right.metadata.labels
            || left.loadBalancerClass != right.loadBalancerClass
            || left.isHeadless != right.isHeadless
            || left.metadata.isBeingDeleted != right.metadata.isBeingDeleted
    }
}
