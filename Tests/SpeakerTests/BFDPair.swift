import BFD
import Foundation
import LinuxNetwork
import NetworkTypes
import Synchronization
import TestNetwork

@testable import Speaker

/// Two BFD speakers in a network each, with a cable between their `eth0`.
///
/// The near end is 192.0.2.1 and 2001:db8::1, the far end .2 and ::2; both forward.
struct BFDPair {
    static let near = [
        IPAddress(family: .ipv4, bits: 0xc000_0201),
        IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 1),
    ]
    static let far = [
        IPAddress(family: .ipv4, bits: 0xc000_0202),
        IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 2),
    ]

    /// One speaker with what it told.
    final class End: Sendable {
        let speaker = BFDSpeaker()
        let verdicts = Told<(BFDPath, BFDVerdict)>()
        /// How a shell gets into the end's network.
        let enter: String

        init() throws {
            enter = "nsenter --net=\(Self.network())"
            try speaker.start { [verdicts] in verdicts.note(($0, $1)) }
        }

        static func network() -> String {
            let link = "/proc/thread-self"
            let thread = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
            return "/proc/\(thread ?? "self")/ns/net"
        }

        /// Runs a command in the end's network.
        @discardableResult
        func shell(_ command: String) throws -> String {
            try Namespace.shell("\(enter) sh -c '\(command)'")
        }

        /// The one session to `remote`.
        func session(_ remote: IPAddress) -> BFDReport.Session? {
            speaker.report.sessions.values.first { $0.path.remote == remote }
        }

        /// What the users of a path were told, in order.
        func told(_ path: BFDPath) -> [BFDVerdict] {
            verdicts.all.filter { $0.0 == path }.map(\.1)
        }

        func eventually(
            within limit: Duration = .seconds(15), _ condition: () throws -> Bool
        ) rethrows -> Bool {
            try Namespace.eventually(within: limit, condition)
        }
    }

    /// What both threads know.
    private final class Stage: Sendable {
        let far = Mutex<End?>(nil)
        let isOver = Atomic(false)
    }

    /// Runs `body` on a thread in the near network.
    static func run(_ body: @escaping @Sendable (_ near: End, _ far: End) throws -> Void)
        async throws
    {
        let stage = Stage()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Namespace.run {
                    let end = try End()
                    stage.far.withLock { $0 = end }
                    while !stage.isOver.load(ordering: .acquiring) { usleep(2_000) }
                    end.speaker.stop()
                }
            }
            group.addTask {
                defer { stage.isOver.store(true, ordering: .releasing) }
                try await Namespace.run {
                    guard Namespace.eventually({ stage.far.withLock { $0 != nil } }),
                        let far = stage.far.withLock({ $0 })
                    else { throw CancellationError() }
                    let near = try End()
                    defer { near.speaker.stop() }
                    try connect(near, far)
                    try body(near, far)
                }
            }
            try await group.waitForAll()
        }
    }

    private static func connect(_ near: End, _ far: End) throws {
        let network = far.enter.split(separator: "=").last ?? ""
        try near.shell("ip link add eth0 type veth peer name far0")
        try near.shell("ip link set far0 netns \(network) name eth0")
        for (end, number) in [(near, 1), (far, 2)] {
            try end.shell(
                """
                ip link set lo up
                echo 1 > /proc/sys/net/ipv4/conf/all/forwarding
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
                ip addr add 192.0.2.\(number)/24 dev eth0
                ip addr add 2001:db8::\(number)/64 dev eth0 nodad
                ip link set eth0 up
                """)
        }
    }

    /// A fast session.
    static func wish(milliseconds: Int = 50) -> BFDWish {
        var wish = BFDWish()
        wish.transmitInterval = .milliseconds(milliseconds)
        wish.receiveInterval = .milliseconds(milliseconds)
        return wish
    }
}
