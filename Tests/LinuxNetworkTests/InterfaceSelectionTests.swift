import NetworkTypes
import Testing

@testable import LinuxNetwork

@Suite struct InterfaceSelectionTests {
    private func link(
        _ index: Int, _ name: String, master: Int? = nil, kind: String? = nil,
        flags: Link.Flags = [.up, .lowerUp], type: UInt16 = 1
    ) -> Link {
        Link(
            index: index, name: name, macAddress: MACAddress(bits: UInt64(index)),
            hardwareType: type, flags: flags, kind: kind, master: master)
    }

    private func names(_ selection: InterfaceSelection, _ links: [Link]) -> [String] {
        selection.bindings(in: LinkTable(links)).map(\.link.name)
    }

    @Test("without a list every Ethernet interface is used, and none of containers and tunnels")
    func defaults() {
        let links = [
            link(1, "lo", flags: [.up, .lowerUp, .loopback], type: 772), link(2, "eth0"),
            link(3, "docker0", kind: "bridge"), link(4, "veth12ab"), link(5, "cali9f"),
            link(6, "wg0", flags: [.up, .noARP], type: 65534), link(7, "eth0.10", kind: "vlan"),
            link(8, "kube-ipvs0", kind: "dummy"), link(9, "flannel.1", kind: "vxlan"),
            link(10, "ether0", flags: [.up, .noARP]),
        ]
        #expect(names(InterfaceSelection(), links) == ["eth0", "eth0.10"])
        let table = LinkTable(links)
        let verdicts = links.map { InterfaceSelection().verdict(on: $0, in: table) }
        #expect(verdicts[0] == .speaksNoARP && verdicts[1] == .used && verdicts[2] == .virtualName)
    }

    @Test("an interface that the operator names is used, whatever its name looks like")
    func named() {
        let links = [link(2, "eth0"), link(4, "veth12ab"), link(6, "dummy0")]
        let selection = InterfaceSelection(allowed: ["veth12ab"])
        #expect(names(selection, links) == ["veth12ab"])
        #expect(selection.verdict(on: links[0], in: LinkTable(links)) == .notListed)
    }

    @Test("a master stands for its ports, and answers to their names")
    func masters() throws {
        let links = [
            link(2, "eth0", master: 4), link(3, "eth1", master: 4),
            link(4, "bond0", master: 5, kind: "bond"), link(5, "br0", kind: "bridge"),
        ]
        let bindings = InterfaceSelection(allowed: ["eth0"]).bindings(in: LinkTable(links))
        let binding = try #require(bindings.first)
        #expect(bindings.count == 1 && binding.link.name == "br0")
        #expect(binding.names == ["eth0", "eth1", "bond0", "br0"])
        let verdict = InterfaceSelection().verdict(on: links[0], in: LinkTable(links))
        #expect(verdict == .port(of: "br0"))
    }

    @Test("a member of a VRF speaks for itself")
    func vrf() {
        let links = [link(2, "eth0", master: 3), link(3, "vrf-blue", kind: "vrf", type: 65534)]
        #expect(names(InterfaceSelection(), links) == ["eth0"])
    }

    @Test("masters in a circle are no reason to hang")
    func circle() {
        let links = [link(2, "eth0", master: 3), link(3, "br0", master: 2)]
        #expect(names(InterfaceSelection(), links).isEmpty)
    }

    @Test("the kernel's own holders of an address are found")
    func holders() throws {
        var loopback = link(1, "lo")
        let address = try #require(IPAddress("203.0.113.10"))
        let subnet = try #require(Prefix(address, length: 32))
        loopback.addresses = [InterfaceAddress(address: address, subnet: subnet)]
        let table = LinkTable([loopback, link(2, "eth0")])
        #expect(table.holders(of: address).map(\.name) == ["lo"])
    }
}
