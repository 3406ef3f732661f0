import NetworkTypes

extension DaemonWatch.Answer {
    /// Service ports and endpoints that came into the data plane or went from it.
    func endpointNews(since before: Self) -> [CaptureEvent] {
        // A daemon that began anew has all of it from the start.
        guard let dataplane, let earlier = before.dataplane else { return [] }
        var events: [CaptureEvent] = []
        let known = Dictionary(earlier.ports.map { ($0.id, $0) }) { first, _ in first }
        for port in dataplane.ports {
            guard let former = known[port.id] else {
                events.append(
                    saying("served", to: port.id, "served: by \(port.placesText)"))
                continue
            }
            let (now, then) = (Set(port.places), Set(former.places))
            for place in port.places where !then.contains(place) {
                events.append(saying("added", to: place, "endpoint of \(port.id) is used"))
            }
            for place in former.places where !now.contains(place) {
                let rest = now.isEmpty ? ": no endpoint is left" : ""
                events.append(
                    saying("removed", to: place, "endpoint of \(port.id) is not used\(rest)"))
            }
        }
        let present = Set(dataplane.ports.map(\.id))
        for port in earlier.ports where !present.contains(port.id) {
            events.append(saying("removed", to: port.id, "no longer served"))
        }
        return limited(events, "changes in the data plane")
    }

    /// New connections by Service port, the busiest first.
    func connections(since before: Self, over time: Duration) -> [CaptureEvent] {
        guard let dataplane, let earlier = before.dataplane else { return [] }
        let known = Dictionary(earlier.ports.map { ($0.id, $0) }) { first, _ in first }
        let busy = dataplane.ports.compactMap {
            port -> (port: StateReport.Dataplane.Port, UInt64)? in
            guard let count = port.connections else { return nil }
            let former = known[port.id]?.connections ?? 0
            // Fewer than before: the daemon began anew.
            let new = count >= former ? count - former : count
            return new > 0 ? (port, new) : nil
        }.sorted { ($1.1, $0.port.id) < ($0.1, $1.port.id) }
        let events = busy.map { port, new in
            let rate = Double(new) / max(time.seconds, 0.001)
            let text =
                "\(new) new connection\(new == 1 ? "" : "s"), "
                + (rate < 10 ? "\((rate * 10).rounded() / 10)" : "\(Int(rate.rounded()))")
                + " a second" + port.traffic(since: known[port.id])
            return saying("connections", to: port.id, text)
        }
        return limited(events, "busy Service ports")
    }

    /// The first of many, and a line that counts the rest.
    private func limited(_ events: [CaptureEvent], _ what: String) -> [CaptureEvent] {
        let rest = events.count - DaemonWatch.linesAtOnce
        guard rest > 0 else { return events }
        return events.prefix(DaemonWatch.linesAtOnce)
            + [saying("more", to: "", "and \(rest) more \(what)")]
    }
}

extension StateReport.Dataplane.Port {
    fileprivate var id: String { "\(service) \(port)/\(transport)" }

    fileprivate var places: [String] { endpoints.map(\.address) }

    fileprivate var placesText: String {
        guard !endpoints.isEmpty else { return "no endpoint, so it refuses" }
        let more = endpoints.count > 3 ? " and \(endpoints.count - 3) more" : ""
        return places.prefix(3).joined(separator: ", ") + more
    }

    /// What went through since, where that is counted.
    fileprivate func traffic(since former: Self?) -> String {
        guard let packets, let bytes else { return "" }
        let (before, size) = (former?.packets ?? 0, former?.bytes ?? 0)
        guard packets >= before, bytes >= size else { return "" }
        return "; \(packets - before) packets, \(bytes - size) bytes"
    }
}
