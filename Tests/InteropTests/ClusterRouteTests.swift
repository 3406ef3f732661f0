import Foundation
import Testing

extension RealNetwork {
    @Suite struct ClusterRouteTests {}
}

/// What routers are told of what is written to an API server.
extension RealNetwork.ClusterRouteTests {
    private static let objects = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: routed, namespace: metallb-system}
        spec: {addresses: [198.18.0.10/32]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: BGPAdvertisement
        metadata: {name: all, namespace: metallb-system}
        ---
        apiVersion: metallb.io/v1beta2
        kind: BGPPeer
        metadata: {name: tor, namespace: metallb-system}
        spec: {myASN: 64501, peerASN: 64500, peerAddress: 192.0.2.50, connectTime: 1s}

        """

    @Test("an endpoint that goes or comes is withdrawn or announced as soon as it is written")
    func endpoints() throws {
        let scene = try ClusterScene(nodes: 1, objects: Self.objects)
        try scene.lan.attach("router-50", host: 50)
        let session = RouterSession("a4", "192.0.2.11", as: 64501)
        let router = try RouterKind.bird.start(
            scene.lan, RouterConfiguration("router-50", number: 50, sessions: [session]))
        try scene.startController()
        try scene.startSpeaker("node-a")
        try scene.server.create(
            Manifests.service("web", nodes: ["node-a"], policy: "Local", stack: "SingleStack"))
        let isHeld = try eventually(within: 20, every: 0.1) {
            try router.routes().map(\.prefix) == ["198.18.0.10/32"]
        }
        #expect(isHeld != nil, scene.lastWords)

        let wire = try BGPConversation(scene.lan, on: "router-50")
        let path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-ipv4"
        let rounds = 20
        let begin = wallClock()
        let series = try scene.server.series(
            "PATCH", type: "application/merge-patch+json", pause: 0.15,
            (0..<rounds).map { round in
                let endpoint =
                    #"{"addresses": ["198.51.100.10"], "nodeName": "node-a", "#
                    + #""conditions": {"ready": \#(!round.isMultiple(of: 2))}}"#
                return (path, #"{"endpoints": [\#(endpoint)]}"#)
            })
        let written = try scene.server.answers(of: series)
        #expect(written.count == rounds)
        var told: [BGPConversation.Packet] = []
        _ = try eventually(every: 0.2) {
            told = try wire.packets(since: begin).filter {
                $0.source == "192.0.2.11" && $0.messages.contains { $0.type == "Update" }
            }
            return told.count >= rounds
        }
        try #require(told.count == rounds, scene.lastWords)
        let isWithdrawn = told.map { $0.messages.contains(where: \.isWithdrawal) }
        #expect(isWithdrawn == (0..<rounds).map { $0.isMultiple(of: 2) })
        // The UPDATE may overtake the answer to the write.
        let delays = zip(told, written).map { $0.time - $1 }.sorted()
        report("endpoint written: UPDATE at the router, median", delays[rounds / 2])
        report("endpoint written: UPDATE at the router, longest", delays[rounds - 1])
        #expect(delays[rounds / 2] < 0.05 && delays[rounds - 1] < 0.5, "\(delays)")
    }
}
