import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPFaultsTests {}
}

/// What ends a session is answered with a NOTIFICATION that operators know from elsewhere.
extension RealNetwork.BGPFaultsTests {
    /// BIRD, in the place of the daemon, with the same sessions.
    private func bird(_ lab: RawLab) throws -> RawRouter {
        try lab.lan.attach("bird", host: 60)
        let sessions = RawLab.kinds.map { name, kind in
            let role = kind.field.replacing("role: ", with: "local role ")
                .replacing("local role rs", with: "local role rs_server")
            return """
                protocol bgp \(Self.session(name)) {
                  local 192.0.2.60 as \(kind.my); neighbor 192.0.2.\(kind.number) as 64496;
                  passive on; direct; error wait time 0, 0; enable extended messages on;
                  \(role.isEmpty ? "" : role + ";")
                  \(name == "internal" ? "router id \(RawLab.daemonAddress);" : "")
                  ipv4 { import all; export none; }; ipv6 { import all; export none; };
                }
                """
        }
        return try RawRouter(
            lab.lan, in: "bird", number: 60, sessions.joined(separator: "\n"))
    }

    /// Brings a session as far as the input wants it, gives the input, and returns what is said
    /// to it: code, subcode and data.
    private func answer(to item: BGPFaultCase, from address: String, _ lab: RawLab) throws
        -> [UInt8]?
    {
        let peer = try RawPeer(
            lab.lan, on: "raw", from: RawLab.address(item.kind), to: address)
        switch item.stage {
        case .connected: break
        case .openConfirm:
            peer.send(RawLab.open(item.kind).message)
            try peer.expect(1)
            try peer.expect(4)
        case .established: try peer.establish(RawLab.open(item.kind))
        }
        peer.send(item.bytes)
        return try peer.farewell()?.body
    }

    @Test("the bytes of a NOTIFICATION are BIRD's, but where the table says why not")
    func notifications() throws {
        let lab = try RawLab(kinds: Array(RawLab.kinds.keys))
        let bird = try bird(lab)
        let cases =
            try BGPFaultCase.headers + BGPFaultCase.lengths + BGPFaultCase.states
            + BGPFaultCase.opens + BGPFaultCase.updates()
        for item in cases {
            let own = try answer(to: item, from: RawLab.daemonAddress, lab)
            if let difference = item.difference {
                #expect(own == item.own, "\(item): \(own?.hex ?? "nothing")")
                // It would be waited for in vain.
                if difference.isSilence { continue }
            }
            // BIRD takes a moment to be ready again.
            let session = Self.session(item.kind)
            let isReady = try eventually(within: 10) {
                try bird.ask("show protocols \(session)").contains("Passive")
            }
            #expect(isReady != nil, "\(item)")
            let other = try answer(to: item, from: "192.0.2.60", lab)
            if item.difference == nil {
                #expect(own == other, "\(item): \(own?.hex ?? "-"), BIRD \(other?.hex ?? "-")")
            } else {
                #expect(own != other, "\(item): BIRD says the same now")
            }
        }
        #expect(bird.process.isRunning && lab.daemon.isRunning)
        let differences = Set(cases.compactMap(\.difference)).map(\.rawValue).sorted()
        print("notifications: \(cases.count) inputs; BIRD differs, where:", differences)
    }

    private static func session(_ kind: String) -> String {
        "raw_" + kind.replacing(" ", with: "_").replacing("-", with: "_")
    }
}
