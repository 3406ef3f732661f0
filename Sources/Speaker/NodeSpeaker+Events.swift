import Dataplane
import Layer2
import LinuxNetwork
import LoadBalancing
import Logging
import NetworkTypes

extension NodeSpeaker {
    /// One line for each address that comes or goes, with the reason. At the start of a large
    /// cluster a single line counts them.
    func log(_ changes: AnnouncementPlan.Changes, isFirst: Bool) {
        if isFirst, changes.added.count > 20 {
            logger.notice(
                "addresses to announce", metadata: ["count": "\(changes.added.count)"])
        } else {
            for addition in changes.added {
                logger.notice(
                    "address comes to this node",
                    metadata: [
                        "address": "\(addition.address)", "from": "\(addition.from ?? "nobody")",
                        "why": "\(addition.announcement.cause)",
                        "epoch": "\(addition.announcement.epoch)",
                    ])
            }
        }
        for removal in changes.removed {
            let why = removal.absence.map { "this node \($0.reason)" } ?? "no Service wants it"
            logger.notice(
                "address leaves this node",
                metadata: [
                    "address": "\(removal.address)",
                    "to": "\(removal.absence?.owner ?? "nobody")", "why": "\(why)",
                ])
        }
    }

    /// What the data plane had to say.
    func note(_ outcome: DataplaneReconciler.Outcome) {
        if let refusal = outcome.refusal {
            logger.warning(
                "somebody else changed our nftables table; it was replaced",
                metadata: ["error": "\(refusal)"])
        }
        for (port, omission) in outcome.omissions where dataplaneOmissions[port] != omission {
            logger.warning(
                "not in the data plane",
                metadata: ["port": "\(port)", "reason": "\(omission)"])
        }
        dataplaneOmissions = outcome.omissions
        if outcome.remedies != dataplaneRemedies {
            dataplaneRemedies = outcome.remedies
            for remedy in dataplaneRemedies {
                logger.warning(
                    "this node does not forward packets, so endpoints elsewhere are out of reach",
                    metadata: ["remedy": "\(remedy)"])
            }
        }
    }

    /// Follows what happens on the wire.
    func note(_ event: Layer2Event) {
        var metadata: Logger.Metadata = ["interface": "\(event.interface)"]
        switch event.kind {
        case .bound: logger.info("listening on interface", metadata: metadata)
        case .released: logger.info("left interface", metadata: metadata)
        case .linkLost: logger.warning("link down", metadata: metadata)
        case .linkRestored: logger.notice("link up, announcing again", metadata: metadata)
        case .answering(let address):
            metadata["address"] = "\(address)"
            logger.info("answering", metadata: metadata)
            claim(address)
        case .conflict(let conflict):
            metadata["address"] = "\(conflict.address)"
            metadata["other"] = "\(conflict.offender)"
            metadata["phase"] = conflict.phase == .beforeUse ? "before use" : "in use"
            metadata["remedy"] =
                "take the address out of the pool, or off the machine that has it"
            logger.error("address is used by someone else", metadata: metadata)
        case .peerAnnounces(let address, let mac):
            metadata["address"] = "\(address)"
            metadata["other"] = "\(mac)"
            logger.info("another speaker announces our address", metadata: metadata)
        case .refused(let address):
            metadata["address"] = "\(address)"
            logger.error("address cannot be announced", metadata: metadata)
        case .failed(let error):
            metadata["error"] = "\(error)"
            logger.error("interface trouble", metadata: metadata)
        }
    }

    /// An address that a kernel holds (kube-ipvs0, lo) is answered by that kernel too, on every
    /// interface, unless it is told not to.
    func noteKernelHeld() {
        var held: Set<IPAddress> = []
        for link in links.links.values.sorted(by: { $0.index < $1.index }) {
            for address in link.addresses.map(\.address).sorted()
            where plan.announcements[address] != nil || plan.absences[address] != nil {
                let isNew = held.insert(address).inserted && !kernelHeld.contains(address)
                if isNew { warnKernelHolds(address, on: link.name) }
            }
        }
        kernelHeld = held
    }

    private func warnKernelHolds(_ address: IPAddress, on interface: String) {
        logger.warning(
            "the kernel holds a Service's address and may answer for it",
            metadata: [
                "address": "\(address)", "interface": "\(interface)",
                "remedy": "\(Self.kernelHeldRemedy(address.family))",
            ])
    }

    /// What to set so that only the speaker answers.
    package static func kernelHeldRemedy(_ family: IPAddress.Family) -> String {
        switch family {
        case .ipv4:
            "sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 "
                + "(kube-proxy: ipvs.strictARP: true)"
        case .ipv6:
            "hold the address on an interface without neighbour discovery (a dummy such as "
                + "kube-ipvs0), or remove it from the interface"
        }
    }
}
