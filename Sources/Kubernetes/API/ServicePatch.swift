public import NetworkTypes

/// What the controller writes into a Service: bodies for a PATCH of `services/status` with
/// ``ObjectRequest/Patch/strategicMerge``.
///
/// One request carries the addresses, the pool's annotation and the condition, so that nobody sees
/// one without the others. The status subresource of a Service leaves `spec` alone and takes
/// changes of metadata; `ingress` has no merge key, so a list replaces the list, and `null` removes
/// it; conditions are merged by `type`, so those of others stay.
///
/// `uid` and `resourceVersion` make the write void when the Service is not the one that was looked
/// at: a server answers 409 when it has changed since, and 409 or 422 when another Service of the
/// same name has taken its place. Either way the answer is to look again.
public enum ServicePatch {
    /// The type of the condition that says whether a Service has its address.
    public static let addressAssigned = "martlet.dev/AddressAssigned"
    /// The subresource that the bodies are for.
    public static let subresource = "status"

    /// Gives a Service these addresses from this pool.
    ///
    /// - Parameter ports: the Service's ports, which `ingress[].ports` repeats.
    public static func assign(
        _ addresses: [IPAddress], pool: String, ports: [Service.Port],
        condition: APIObjectStatus.Condition? = nil, uid: String, resourceVersion: String
    ) -> [UInt8] {
        body(uid, resourceVersion, pool: .some(pool), condition) { status in
            status.member("loadBalancer") { balancer in
                balancer.name("ingress")
                balancer.array(addresses) { list, address in
                    list.object { ingress in
                        ingress.member("ip", address.description)
                        // What the address is: packets for it arrive as they are.
                        ingress.member("ipMode", "VIP")
                        guard !ports.isEmpty else { return }
                        ingress.name("ports")
                        ingress.array(ports) { list, port in
                            list.object {
                                $0.member("port", port.port)
                                $0.member("protocol", port.protocol.rawValue)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Takes every address away, and the annotation with them.
    ///
    /// - Parameter forgotten: the types of conditions that go too.
    public static func clear(
        condition: APIObjectStatus.Condition? = nil, forgetting forgotten: [String] = [],
        uid: String, resourceVersion: String
    ) -> [UInt8] {
        body(uid, resourceVersion, pool: .some(nil), condition, forgotten) { status in
            status.member("loadBalancer") { $0.memberIsNull("ingress") }
        }
    }

    /// Takes conditions of these types away and changes nothing else.
    public static func forget(
        _ types: [String], uid: String, resourceVersion: String
    ) -> [UInt8] {
        body(uid, resourceVersion, pool: nil, nil, types) { _ in }
    }

    /// Says something about the Service and changes nothing else.
    public static func condition(
        _ condition: APIObjectStatus.Condition, uid: String, resourceVersion: String
    ) -> [UInt8] {
        body(uid, resourceVersion, pool: nil, condition) { _ in }
    }

    /// - Parameter pool: the annotation: `nil` leaves it, `.some(nil)` removes it.
    private static func body(
        _ uid: String, _ resourceVersion: String, pool: String??,
        _ condition: APIObjectStatus.Condition?, _ forgotten: [String] = [],
        _ fill: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        JSONWriter.object { body in
            body.member("metadata") { metadata in
                metadata.member("uid", uid)
                metadata.member("resourceVersion", resourceVersion)
                guard let pool else { return }
                metadata.member("annotations") { annotations in
                    let key = ServiceAnnotation.allocatedFromPool.key
                    if let pool {
                        annotations.member(key, pool)
                    } else {
                        annotations.memberIsNull(key)
                    }
                }
            }
            body.member("status") { status in
                fill(&status)
                let edits =
                    [condition].compactMap(\.self).map(ConditionEdit.say)
                    + forgotten.map(ConditionEdit.forget)
                guard !edits.isEmpty else { return }
                status.name("conditions")
                status.array(edits) { $0.write($1) }
            }
        }
    }
}

/// What is to become of a condition.
private enum ConditionEdit {
    case say(APIObjectStatus.Condition)
    case forget(String)
}

extension JSONWriter {
    /// Writes an element of a list that is merged by type.
    fileprivate mutating func write(_ edit: ConditionEdit) {
        switch edit {
        case .say(let condition): write(condition)
        case .forget(let type):
            object {
                $0.member("$patch", "delete")
                $0.member("type", type)
            }
        }
    }

    /// Writes a `metav1.Condition`.
    mutating func write(_ condition: APIObjectStatus.Condition) {
        object {
            $0.member("type", condition.type)
            $0.member("status", condition.isTrue ? "True" : "False")
            $0.member("reason", condition.reason)
            // The API's bound on a condition's message.
            $0.member("message", condition.message.cut(toBytes: 32_768))
            $0.member("lastTransitionTime", condition.lastTransitionTime)
        }
    }
}

extension String {
    /// The text if it is no longer than that many bytes of UTF-8; else its beginning and "…".
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let ellipsis = "…"
        var kept = Substring()
        var room = limit - ellipsis.utf8.count
        var end = startIndex
        while end < endIndex {
            let next = index(after: end)
            room -= self[end..<next].utf8.count
            guard room >= 0 else { break }
            end = next
        }
        kept = self[..<end]
        return kept + ellipsis
    }
}
