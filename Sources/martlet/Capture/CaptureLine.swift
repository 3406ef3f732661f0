import BFD
import BGP
import NetworkTypes

/// An event for programs: one object a line.
struct CaptureLine: Encodable {
    struct Open: Encodable {
        var asn: UInt32
        var holdTime: UInt16
        var identifier: String
        var capabilities: [String]
    }

    struct Update: Encodable {
        var announced: [String]
        var withdrawn: [String]
        var endOfRIB: String?
        var origin: String?
        var asPath: [String]?
        var nextHop: String?
        var localPreference: UInt32?
        var communities: [String]?
        var largeCommunities: [String]?
    }

    struct Notification: Encodable {
        var code: UInt8
        var subcode: UInt8
        var data: String
        /// What the operator wrote.
        var message: String?
    }

    struct Control: Encodable {
        var state: String
        var diagnostic: String
        var poll: Bool
        var final: Bool
        var detectMultiplier: UInt8
        var myDiscriminator: UInt32
        var yourDiscriminator: UInt32
        var desiredMinTransmitMicroseconds: UInt32
        var requiredMinReceiveMicroseconds: UInt32
        var requiredMinEchoReceiveMicroseconds: UInt32
    }

    var time: String
    var interface: String?
    var vlans: [UInt16]?
    var `protocol`: String
    var from: String
    var to: String
    var event: String
    var text: String
    /// The rules that are broken.
    var rules: [String]?
    /// The bytes of what breaks them, hexadecimal.
    var bytes: String?
    var open: Open?
    var update: Update?
    var notification: Notification?
    var control: Control?

    init(_ event: CaptureEvent) {
        time = UTCTime(nanoseconds: event.nanoseconds).timestamp
        interface = event.interface
        vlans = event.vlans.isEmpty ? nil : event.vlans
        `protocol` = event.kind.rawValue
        from = event.from
        to = event.to
        self.event = event.name
        text = event.text
        if !event.rules.isEmpty {
            rules = event.rules
            bytes = event.bytes.hexadecimal
        }
        switch event.content {
        case .open(let message): open = Open(message)
        case .update(let message): update = Update(message)
        case .notification(let message):
            notification = Notification(
                code: message.code, subcode: message.subcode, data: message.data.hexadecimal,
                message: message.shutdownMessage)
        case .control(let packet): control = Control(packet)
        case nil: break
        }
    }
}

extension CaptureLine.Open {
    fileprivate init(_ message: OpenMessage) {
        asn = UInt32(message.myAS)
        for case .fourOctetAS(let number) in message.capabilities { asn = number }
        holdTime = message.holdTime
        identifier = "\(IPAddress(ipv4: message.routerID))"
        capabilities = message.capabilities.map(\.description)
    }
}

extension CaptureLine.Update {
    fileprivate init(_ message: UpdateMessage) {
        announced = message.announced.map(\.description)
        withdrawn = message.withdrawn.map(\.description)
        endOfRIB = message.endOfRIB?.description
        guard !announced.isEmpty else { return }
        let attributes = message.attributes
        origin = attributes.origin?.description
        asPath = attributes.asPath?.map(\.description)
        nextHop = attributes.nextHop?.description
        localPreference = attributes.localPreference
        communities = attributes.communities.map(\.description)
        largeCommunities = attributes.largeCommunities.map(\.description)
    }
}

extension CaptureLine.Control {
    fileprivate init(_ packet: BFDPacket) {
        state = "\(packet.state)"
        diagnostic = "\(packet.diagnostic)"
        poll = packet.isPoll
        final = packet.isFinal
        detectMultiplier = packet.detectMultiplier
        myDiscriminator = packet.myDiscriminator
        yourDiscriminator = packet.yourDiscriminator
        desiredMinTransmitMicroseconds = packet.desiredMinTransmit
        requiredMinReceiveMicroseconds = packet.requiredMinReceive
        requiredMinEchoReceiveMicroseconds = packet.requiredMinEchoReceive
    }
}

extension Sequence<UInt8> {
    /// Two digits a byte.
    var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
