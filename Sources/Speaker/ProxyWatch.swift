import ClusterSource
import Kubernetes
import LinuxNetwork
import NetworkTypes

/// Looks for whoever takes traffic on beside Martlet, when somebody wants to know, and not more
/// often than every ten seconds: of a large table the older kernel interface hands out all of it.
///
/// A look waits for the kernel, and up to 0.2 s for kube-proxy, so it is made on a thread of its
/// own. Whoever asks meanwhile waits for the same look.
package actor ProxyWatch {
    private var seen: (facts: ProxyFacts, sight: ProxySight, at: Instant)?
    /// Those who wait for a look that is under way; `nil` when none is.
    private var waiting: [CheckedContinuation<Void, Never>]?

    package init() {}

    /// What is so on this node, at most ten seconds old.
    package func review(_ sight: ProxySight) async -> ProxyReview {
        while waiting != nil {
            await withCheckedContinuation { waiting?.append($0) }
        }
        if let seen, seen.sight.isSameView(as: sight), MonotonicClock.now() - seen.at < .seconds(10)
        {
            return ProxyReview(ProxyReview.Facts(seen.facts), sight.context)
        }
        waiting = []
        let facts = await Self.look(sight)
        seen = (facts, sight, MonotonicClock.now())
        for asker in waiting ?? [] { asker.resume() }
        waiting = nil
        return ProxyReview(ProxyReview.Facts(facts), sight.context)
    }

    private static func look(_ sight: ProxySight) async -> ProxyFacts {
        var thread: NetworkThread?
        let facts = await withCheckedContinuation { continuation in
            let look = { @Sendable in
                continuation.resume(
                    returning: ProxyFacts(
                        links: sight.links, interfaces: sight.context.interfaces))
            }
            do throws(SystemError) {
                thread = try NetworkThread(name: "martlet-proxies", look)
            } catch {
                // Without a thread it is seen from here.
                look()
            }
        }
        thread?.join()
        return facts
    }
}

/// What a look for proxies begins with: the interfaces of the node, and what Martlet does there.
package struct ProxySight: Sendable {
    package var links: LinkTable
    package var context: ProxyReview.Context

    package init(links: LinkTable, context: ProxyReview.Context) {
        self.links = links
        self.context = context
    }

    func isSameView(as other: ProxySight) -> Bool {
        links == other.links && context.interfaces == other.context.interfaces
    }
}

extension ProxyReview.Facts {
    /// Translates what the kernel shows.
    package init(_ facts: ProxyFacts) {
        self.init()
        seesTables = facts.seesTables
        statedMode = facts.statedMode
        nftablesTables = facts.nftablesTables
        iptablesChains = facts.iptablesChains
        legacyChains = facts.legacyChains
        virtualServers = facts.virtualServers
        if let dummy = facts.dummy {
            dummyName = dummy.name
            dummyAddresses = dummy.addresses
        }
        interfaces = facts.interfaces
        hasBridge = facts.hasBridge
        switches = facts.switches.mapValues(ProxyReview.Facts.Switches.init)
        forwarding = facts.forwarding
        bridgeCalls = facts.bridgeCalls
    }
}

extension ProxyReview.Facts.Switches {
    init(_ switches: ProxyFacts.Switches) {
        self.init(
            arpIgnore: switches.arpIgnore, arpAnnounce: switches.arpAnnounce,
            rpFilter: switches.rpFilter)
    }
}

extension NodeSpeaker {
    /// Whether Martlet's own data plane runs on this node.
    package nonisolated var carriesTraffic: Bool { dataplane != nil }

    /// From where to look for proxies.
    package func proxySight(isInCluster: Bool) -> ProxySight {
        var addresses: Set<IPAddress> = []
        for service in state.snapshot.services.values
        where settings.scope.exclusion(of: service) == nil {
            for ingress in service.ingress { addresses.insert(ingress.address) }
        }
        return ProxySight(
            links: links,
            context: ProxyReview.Context(
                carriesTraffic: carriesTraffic, isInCluster: isInCluster, addresses: addresses,
                interfaces: Set(layer2.bindings.map(\.link.name))))
    }
}
