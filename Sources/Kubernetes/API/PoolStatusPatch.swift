/// What the controller writes into an IPAddressPool: a body for a PATCH of `ipaddresspools/status`
/// with ``ObjectRequest/Patch/merge``.
public enum PoolStatusPatch {
    /// The figures of the pool, and the addresses that it keeps back.
    ///
    /// - Parameter resourceVersion: the write is void when the pool has changed since; `nil` writes
    ///   in any case.
    public static func body(
        assignedIPv4: Int64, assignedIPv6: Int64, availableIPv4: Int64, availableIPv6: Int64,
        reservations: [APIObjectStatus.Reservation] = [], resourceVersion: String? = nil
    ) -> [UInt8] {
        JSONWriter.object { body in
            if let resourceVersion {
                body.member("metadata") { $0.member("resourceVersion", resourceVersion) }
            }
            body.member("status") { status in
                status.member("assignedIPv4", assignedIPv4)
                status.member("assignedIPv6", assignedIPv6)
                status.member("availableIPv4", availableIPv4)
                status.member("availableIPv6", availableIPv6)
                guard !reservations.isEmpty else {
                    status.memberIsNull("reservations")
                    return
                }
                status.name("reservations")
                status.array(reservations.sorted { $0.service < $1.service }) { list, kept in
                    list.object {
                        $0.member("namespace", kept.service.namespace)
                        $0.member("name", kept.service.name)
                        $0.member("addresses", kept.addresses)
                        $0.member("until", kept.until)
                    }
                }
            }
        }
    }
}
