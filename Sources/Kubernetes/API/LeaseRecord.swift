/// A `coordination.k8s.io/v1` Lease, as far as it is used.
///
/// Times in it are stamps for people. Nobody compares them with a clock: a record that has changed
/// shows that its holder lived, and how long ago that was each observer measures itself.
public struct LeaseRecord: Hashable, Sendable {
    /// Who has the Lease; empty when it was released, or never had.
    public var holder: String
    /// For how long after a renewal others leave it alone, in seconds.
    public var durationSeconds: Int
    /// `spec.acquireTime`, as text; `nil` when absent.
    public var acquireTime: String?
    /// `spec.renewTime`, as text; `nil` when absent.
    public var renewTime: String?
    /// How often it changed hands.
    public var transitions: Int
    /// The version of the object; empty in a record that is yet to be written.
    public var resourceVersion: String

    /// Makes a record.
    public init(
        holder: String, durationSeconds: Int, acquireTime: String? = nil,
        renewTime: String? = nil, transitions: Int = 0, resourceVersion: String = ""
    ) {
        self.holder = holder
        self.durationSeconds = durationSeconds
        self.acquireTime = acquireTime
        self.renewTime = renewTime
        self.transitions = transitions
        self.resourceVersion = resourceVersion
    }

    /// Whether nobody has it.
    public var isReleased: Bool { holder.isEmpty }

    /// For how long after a change others leave it alone. What cannot be is read as an hour.
    public var duration: Duration {
        .seconds(min(max(durationSeconds, 1), 3600))
    }

    /// Whether another record of the same Lease is younger than this one, as far as the versions
    /// say: they do when both are decimal numbers.
    public func isOlder(than other: LeaseRecord) -> Bool {
        guard let own = UInt64(resourceVersion), let its = UInt64(other.resourceVersion) else {
            return false
        }
        return own < its
    }

    /// The record with its stamps: renewed at `time`, and acquired then unless it was already.
    public func stamped(_ time: WallTime) -> LeaseRecord {
        var record = self
        record.renewTime = time.microseconds
        if record.acquireTime == nil { record.acquireTime = time.microseconds }
        return record
    }
}

extension LeaseRecord {
    /// Asks to create the Lease. It fails with 409 when there is one.
    public func creation(_ name: ObjectName, manager: String) -> ObjectRequest {
        let body = JSONWriter.object { lease in
            lease.member("apiVersion", APIResource.leases.apiVersion)
            lease.member("kind", APIResource.leases.kind)
            lease.member("metadata") { metadata in
                metadata.member("name", name.name)
                metadata.member("namespace", name.namespace)
                metadata.member("labels") { $0.member("app.kubernetes.io/managed-by", "martlet") }
            }
            lease.member("spec") { write(to: &$0) }
        }
        return .create(.leases, in: name.namespace, body: body, manager: manager)
    }

    /// Asks to bring the Lease to this record. With a ``resourceVersion`` it fails with 409 when
    /// the Lease has another version by then; without, it is made so whatever it was.
    public func change(_ name: ObjectName, manager: String) -> ObjectRequest {
        let body = JSONWriter.object { lease in
            if !resourceVersion.isEmpty {
                lease.member("metadata") { $0.member("resourceVersion", resourceVersion) }
            }
            lease.member("spec") { write(to: &$0) }
        }
        return .patch(.leases, name, .merge, body: body, manager: manager)
    }

    /// A Lease without a holder has none: servers differ on whether an empty name is valid.
    private func write(to spec: inout JSONWriter) {
        if holder.isEmpty {
            spec.memberIsNull("holderIdentity")
        } else {
            spec.member("holderIdentity", holder)
        }
        spec.member("leaseDurationSeconds", durationSeconds)
        if let acquireTime { spec.member("acquireTime", acquireTime) }
        if let renewTime { spec.member("renewTime", renewTime) }
        spec.member("leaseTransitions", transitions)
    }
}
