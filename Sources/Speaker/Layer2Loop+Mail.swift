import Layer2
import LinuxNetwork
import NetworkTypes

/// What the speaker wants, and what it says of the world.
extension Layer2Loop {
    mutating func readMail(at now: Instant) -> Bool {
        let mail = mailbox.take()
        tell(mail, at: now)
        if let link = mail.link { follow(link, at: now) }
        for (address, settings) in mail.wishes {
            if let settings {
                announce(address, settings, at: now)
            } else {
                answeringSince[address] = nil
                conflicts[address] = nil
                takeovers[address] = nil
                holds.release(address, on: link.name)
                perform(announcer.handle(.addressRemoved(address), at: now), at: now)
            }
        }
        for address in mail.reannouncements.sorted() {
            perform(announcer.handle(.reannounce(address), at: now), at: now)
        }
        if let watched = mail.watched { tellWatch(.addressesChanged(watched), at: now) }
        for address in mail.doubts.sorted() { tellWatch(.doubted(address), at: now) }
        answer(mail.questions)
        return !mail.isStopping
    }

    /// What the announcer must know before it hears of addresses.
    mutating func tell(_ mail: Layer2Mail, at now: Instant) {
        if let peers = mail.peers {
            perform(announcer.handle(.peersChanged(peers), at: now), at: now)
        }
        if let siblings = mail.siblings {
            perform(announcer.handle(.siblingsChanged(siblings), at: now), at: now)
        }
        if let companions = mail.companions {
            perform(announcer.handle(.companionsChanged(companions), at: now), at: now)
        }
        if let isolation = mail.isolation {
            // What waits in the kernel was heard before, and is no proof of hearing.
            receiveAll(at: now)
            self.isolation = isolation
            perform(
                announcer.handle(
                    .isolationChanged(
                        since: isolation.since, isAlonePlausible: isolation.isAlonePlausible),
                    at: now), at: now)
            pauseWatch(at: now)
        }
    }

    mutating func announce(
        _ address: IPAddress, _ settings: AnnouncementSettings, at now: Instant
    ) {
        if settings.start == .afterCheck, announcer.state(of: address) == nil {
            takeovers[address] = now
        }
        perform(announcer.handle(.addressAdded(address, settings), at: now), at: now)
    }

    mutating func follow(_ changed: Link, at now: Instant) {
        let flapped = link.carrierChanges != changed.carrierChanges
        link = changed
        if let macAddress = changed.macAddress, macAddress != announcer.macAddress {
            perform(announcer.handle(.macAddressChanged(macAddress), at: now), at: now)
            tellWatch(.macAddressChanged(macAddress), at: now)
        }
        noteSource(at: now)
        if !changed.isOperational {
            closeSocket(at: now)
        } else if socket == nil {
            openSocket(at: now)
        } else if flapped {
            restore(at: now)
        }
    }

    /// Listener reports come from the interface's link-local address, which appears only once the
    /// kernel has tested it, or changes.
    mutating func noteSource(at now: Instant) {
        let linkLocal = link.addresses.map(\.address).filter {
            $0.family == .ipv6 && $0.isLinkLocal
        }.min()
        tell(.interfaceChanged(announcer.macAddress, linkLocal: linkLocal), at: now)
        let own = link.addresses.map(\.address).sorted()
        perform(announcer.handle(.ownAddressesChanged(own), at: now), at: now)
    }
}
