import Kubernetes
import NetworkTypes

/// The Services with what they have been given in place of what their objects say, kept up with
/// what changes, so that states share what is the same in both.
struct MergedServices {
    private var read = ObjectTable<Service>()
    private var given: [ObjectName: ServiceAllocation] = [:]
    private var services = ObjectTable<Service>()

    /// Takes the Services as read, and what has been given.
    mutating func update(
        _ read: ObjectTable<Service>, _ given: [ObjectName: ServiceAllocation]
    ) -> ObjectTable<Service> {
        var names = read.differences(from: self.read)
        // At once, where both share their storage, as they do when only manifests changed.
        if given != self.given {
            for (name, allocation) in given where self.given[name] != allocation {
                names.insert(name)
            }
            for name in self.given.keys where given[name] == nil { names.insert(name) }
        }
        (self.read, self.given) = (read, given)
        for name in names {
            var service = read[name]
            if let allocation = given[name] {
                service?.ingress = allocation.addresses.map { Service.Ingress(address: $0) }
            }
            if services[name] != service { services[name] = service }
        }
        return services
    }
}
