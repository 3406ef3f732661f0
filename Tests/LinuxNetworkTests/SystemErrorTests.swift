import Glibc
import Testing

@testable import LinuxNetwork

@Suite struct SystemErrorTests {
    @Test("an error says what failed, on what, why, and what to do")
    func text() {
        let error = SystemError("pcap_activate", errno: EPERM, subject: "interface eth0")
        let text = error.description
        #expect(text.contains("pcap_activate") && text.contains("eth0"))
        #expect(text.contains("Operation not permitted") && text.contains("CAP_NET_RAW"))
    }

    @Test("a packet socket on an interface that is not there names the interface")
    func noInterface() {
        #expect {
            try PacketSocket(interface: "nowhere0")
        } throws: { error in
            (error as? SystemError)?.subject == "interface nowhere0"
        }
    }
}
