import ScriptedAPIServer
import Testing

/// What users see and do with `kubectl`.
extension Scene {
    @discardableResult
    func create(_ object: JSONValue) throws -> JSONValue { try server.cluster.create(object) }

    func service(_ name: String) throws -> JSONValue {
        try #require(try server.cluster.get("services", namespace: Self.shop, name))
    }

    /// Merges something into a Service.
    func change(_ name: String, _ patch: JSONValue, subresource: String = "") throws {
        try server.cluster.patch(
            "services", namespace: Self.shop, name, patch, subresource: subresource)
    }

    func delete(_ name: String) throws {
        try server.cluster.delete("services", namespace: Self.shop, name)
    }

    func change(pool: String, _ patch: JSONValue) throws {
        try server.cluster.patch(
            "ipaddresspools.metallb.io", namespace: Self.namespace, pool, patch)
    }

    func delete(pool: String) throws {
        try server.cluster.delete("ipaddresspools.metallb.io", namespace: Self.namespace, pool)
    }

    // MARK: What Services say

    func addresses(of name: String) throws -> [String] { Self.addresses(try service(name)) }

    static func addresses(_ service: JSONValue) -> [String] {
        (service["status", "loadBalancer", "ingress"]?.array ?? []).compactMap { $0["ip"]?.string }
    }

    /// The addresses of all Services, by name; Services without any are left out.
    func allAddresses() throws -> [String: [String]] {
        var all: [String: [String]] = [:]
        for service in try server.cluster.list("services", namespace: Self.shop) {
            let addresses = Self.addresses(service)
            guard !addresses.isEmpty else { continue }
            all[service["metadata", "name"]?.string ?? ""] = addresses
        }
        return all
    }

    func annotation(_ key: String, of name: String) throws -> String? {
        try service(name)["metadata", "annotations", key]?.string
    }

    /// Our condition of a Service.
    func condition(of name: String) throws -> JSONValue? {
        try service(name)["status", "conditions"]?.array?
            .first { $0["type"] == "martlet.dev/AddressAssigned" }
    }

    /// What Events say about a Service, by reason.
    func events(of name: String) throws -> [(reason: String, note: String, type: String)] {
        try server.cluster.list("events", namespace: Self.shop)
            .filter { $0["involvedObject", "name"]?.string == name }
            .map {
                (
                    $0["reason"]?.string ?? "", $0["message"]?.string ?? "",
                    $0["type"]?.string ?? ""
                )
            }
    }

    func status(ofPool name: String) throws -> JSONValue? {
        try server.cluster.get("ipaddresspools.metallb.io", namespace: Self.namespace, name)?[
            "status"]
    }

    /// Whoever holds the controllers' Lease.
    func holder() throws -> String {
        try server.cluster.get("leases", namespace: Self.namespace, "martlet-controller")?[
            "spec", "holderIdentity"]?.string ?? ""
    }

    // MARK: What was asked of the server

    /// The writes of Services' statuses, oldest first, by one controller or all of them.
    func writes(
        of name: String? = nil, by account: String? = nil, after number: Int = 0
    ) -> [RequestRecord] {
        server.requests.all(after: number).filter { record in
            record.verb == "patch" && record.resource == "services/status"
                && (name == nil || record.name == name)
                && (account == nil || record.user.hasSuffix(":\(account ?? "")"))
        }
    }

    // MARK: Waiting

    func addresses(of name: String, become wanted: [String]) async throws {
        try await eventually("\(name) has \(wanted)") { try addresses(of: name) == wanted }
    }

    func condition(of name: String, becomes reason: String) async throws {
        try await eventually("the condition of \(name) gives the reason \(reason)") {
            try condition(of: name)?["reason"]?.string == reason
        }
    }

    /// Waits until so many Services have an address, and holds that none is there twice.
    func addressesAreGiven(toAll count: Int) async throws {
        try await eventually("all of \(count) Services have an address") {
            try allAddresses().count == count
        }
        try expectNoAddressTwice()
    }

    func expectNoAddressTwice() throws {
        let all = try allAddresses().values.flatMap(\.self)
        #expect(Set(all).count == all.count, "an address was given twice")
    }
}
