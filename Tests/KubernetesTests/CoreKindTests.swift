import Kubernetes
import NetworkTypes
import Testing

@Suite struct CoreKindTests {
    private func only(_ text: String) throws -> ManifestObject.Value {
        let file = ManifestReader.read(text, file: "x.yaml")
        #expect(file.problems.isEmpty)
        return try #require(file.objects.first).value
    }

    @Test func `a Node reads its conditions, taints and addresses`() throws {
        let value = try only(
            """
            apiVersion: v1
            kind: Node
            metadata:
              name: node-1
              namespace: ignored
              labels: {node.kubernetes.io/exclude-from-external-load-balancers: ""}
            spec:
              unschedulable: true
              podCIDR: 198.18.1.0/24
              podCIDRs: [198.18.1.0/24, "2001:db8:1::/64"]
              taints:
              - {key: node.kubernetes.io/unschedulable, effect: NoSchedule}
            status:
              addresses:
              - {type: InternalIP, address: 192.0.2.11}
              - {type: InternalIP, address: "2001:db8::11"}
              - {type: Hostname, address: node-1}
              conditions:
              - {type: Ready, status: Unknown}
              - {type: NetworkUnavailable, status: "False"}
            """)
        guard case .node(let node) = value else {
            Issue.record("not a Node")
            return
        }
        #expect(node.metadata.name == ObjectName("node-1"))
        #expect(node.metadata.labels[Node.excludeLabel] == "")
        #expect(node.ready == false && node.networkUnavailable == false)
        #expect(node.isUnschedulable)
        #expect(node.taints == ["node.kubernetes.io/unschedulable"])
        #expect(node.addresses.map(\.description) == ["192.0.2.11", "2001:db8::11"])
        #expect(node.podCIDRs.map(\.length) == [24, 64])
    }

    @Test func `a Pod reads its addresses, readiness and the ports of sidecars too`() throws {
        let value = try only(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web-1, deletionTimestamp: "2026-01-01T00:00:00Z"}
            spec:
              nodeName: node-1
              initContainers:
              - {name: setup, ports: [{containerPort: 1}]}
              - {name: proxy, restartPolicy: Always, ports: [{containerPort: 15001, name: proxy}]}
              containers:
              - name: web
                ports: [{containerPort: 8080, name: http}, {containerPort: 53, protocol: UDP}]
            status:
              phase: Running
              podIP: 198.51.100.1
              podIPs: [{ip: 198.51.100.1}, {ip: "2001:db8:7::1"}]
              conditions: [{type: Ready, status: "False"}]
            """)
        guard case .pod(let pod) = value else {
            Issue.record("not a Pod")
            return
        }
        #expect(pod.metadata.isBeingDeleted)
        #expect(pod.nodeName == "node-1")
        #expect(pod.addresses.map(\.description) == ["198.51.100.1", "2001:db8:7::1"])
        #expect(pod.ready == false && !pod.isFinished)
        #expect(
            pod.containerPorts == [
                Pod.ContainerPort(name: "http", port: 8080),
                Pod.ContainerPort(protocol: .udp, port: 53),
                Pod.ContainerPort(name: "proxy", port: 15001),
            ])
    }

    @Test func `an EndpointSlice reads its conditions and what stands behind each endpoint`() throws
    {
        let value = try only(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: web-abc, namespace: shop, labels: {kubernetes.io/service-name: web}}
            addressType: IPv6
            endpoints:
            - addresses: ["2001:db8::5"]
              conditions: {ready: false, serving: true, terminating: true}
              nodeName: node-2
              targetRef: {kind: Pod, namespace: shop, name: web-5}
              zone: a
            - addresses: ["2001:db8::6"]
              conditions: {}
            ports:
            - {name: http, port: 8080, protocol: TCP, appProtocol: http}
            """)
        guard case .endpointSlice(let slice) = value else {
            Issue.record("not an EndpointSlice")
            return
        }
        #expect(slice.service == ObjectName(namespace: "shop", "web"))
        #expect(slice.family == .ipv6)
        #expect(slice.endpoints.map(\.ready) == [false, nil])
        #expect(slice.endpoints.map(\.isUsable) == [true, true])
        #expect(slice.endpoints[0].target == "Pod shop/web-5")
        #expect(slice.endpoints[0].nodeName == "node-2")
        #expect(slice.ports == [EndpointSlice.Port(name: "http", port: 8080)])
    }

    @Test func `an EndpointSlice holds addresses of its own family only`() {
        let file = ManifestReader.read(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: web-abc, labels: {kubernetes.io/service-name: web}}
            addressType: IPv4
            endpoints:
            - addresses: ["2001:db8::5"]
            ports: []
            """, file: "x.yaml")
        #expect(file.errors.map(\.field) == ["endpoints[0].addresses[0]"])
    }

    @Test func `an EndpointSlice of names is passed over with a notice, not refused`() {
        let file = ManifestReader.read(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: web-abc, labels: {kubernetes.io/service-name: web}}
            addressType: FQDN
            endpoints: [{addresses: [db.example.com]}]
            """, file: "x.yaml")
        #expect(file.problems.map(\.severity) == [.notice])
        #expect(file.objects.isEmpty && file.refused.isEmpty && !file.hasUnidentified)
    }

    @Test func `base64 of a Secret is decoded with and without padding, and nothing else is`() {
        for (text, expected) in [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar"),
            ("Zg=", nil), ("Z===", nil), ("Zm9*", nil), ("Z=g=", nil),
        ] as [(String, String?)] {
            let file = ManifestReader.read(
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: \"\(text)\"}\n",
                file: "x.yaml")
            guard let expected else {
                #expect(file.errors.map(\.field) == ["data.k"], "\(text)")
                continue
            }
            guard case .secret(let secret)? = file.objects.first?.value else {
                Issue.record("\(text) refused")
                continue
            }
            #expect(secret.values["k"] == Array(expected.utf8))
        }
    }
}
