import Dataplane
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// What a node's data plane serves, and how much it is used.
package struct DataplaneUsage: Sendable {
    /// One Service port in the table.
    package struct Port: Sendable {
        /// Whose it is.
        package var identity: ServiceChain.Identity
        /// New connections since this process began, or one before it whose table it took over;
        /// `nil` where they are not counted.
        package var connections: UInt64?
        /// Packets of both directions with their bytes; `nil` where they are not counted.
        package var traffic: ElementCounter?
        /// The endpoints that get new connections, in order, each with how many it got.
        package var endpoints: [(address: SocketAddress, connections: UInt64?)]
    }

    /// What the kernel counts.
    package var counters: Ruleset.Counters
    /// By Service port, in order.
    package var ports: [Port]
    /// How often the table was not as it should be, because somebody else had changed it.
    package var repairs: UInt64
    /// Why the counters cannot be told, where they cannot.
    package var trouble: String?
}

extension DataplaneReconciler {
    /// What is in the table, and what is counted there.
    fileprivate var served: (services: [ServiceChain], counters: Ruleset.Counters) {
        (ruleset.services, ruleset.options.counters)
    }
}

extension DataplaneUsage.Port {
    /// A Service port with its counts; `nil` for none.
    fileprivate init(
        _ service: ServiceChain, _ usage: Ruleset.Usage?, countsTraffic: Bool
    ) {
        identity = service.identity
        connections = usage?.connections
        traffic = countsTraffic ? usage?.traffic : nil
        var counts: [SocketAddress: UInt64] = [:]
        for (place, count) in usage?.endpoints ?? [:] {
            counts[SocketAddress(place.address, port: place.port)] = count
        }
        endpoints = Set(service.endpoints.map { SocketAddress($0.address, port: $0.port) })
            .sorted().map { ($0, usage == nil ? nil : counts[$0, default: 0]) }
    }
}

extension NodeSpeaker {
    /// So often the kernel's counters are looked at, so that little is lost of an element that
    /// goes: it takes with it what it counted since the last look.
    private static let looksAtCountersEvery = Duration.seconds(10)
    /// A look is followed by a rest so many times as long, if that is longer.
    private static let restsAfterLook = 50

    /// Adds up what the kernel counts until the task is cancelled.
    func followUsage(of dataplane: DataplaneReconciler) async {
        while true {
            let begin = MonotonicClock.now()
            do throws(SystemError) {
                _ = try await dataplane.usage()
            } catch {
                // Who asks for the counters is told why there are none; the next look makes up for
                // this one.
            }
            let pause = (MonotonicClock.now() - begin) * Self.restsAfterLook
            guard await rest(max(pause, Self.looksAtCountersEvery)) else { return }
        }
    }

    /// What is served, and what the kernel has counted of it; `nil` without a data plane of ours.
    /// Thousands of Services are put together off this actor.
    package nonisolated func dataplaneUsage() async -> DataplaneUsage? {
        guard let dataplane else { return nil }
        var counted: [ServiceChain.Identity: Ruleset.Usage] = [:]
        var trouble: String?
        do throws(SystemError) {
            counted = try await dataplane.usage()
        } catch {
            trouble = "\(error)"
        }
        let (services, counters) = await dataplane.served
        let ports = services.map { service in
            DataplaneUsage.Port(
                service, counters == .none ? nil : counted[service.identity],
                countsTraffic: counters == .traffic)
        }
        return DataplaneUsage(
            counters: counters, ports: ports.sorted { $0.identity < $1.identity },
            repairs: await dataplaneRepairs, trouble: trouble)
    }

    /// What the prober finds; `nil` while no annotation asks for it.
    package var proberReport: EndpointProber.Report? { probing.prober?.report }
}
