/// ClusterIPs and node ports: who has which.
struct ServiceAddresses {
    let settings: ClusterSettings
    private var taken: Set<String> = []
    private var takenPorts: Set<Int> = []
    private var next: [String: Int] = [:]
    private var nextPort: Int

    init(settings: ClusterSettings) {
        self.settings = settings
        nextPort = settings.nodePorts.lowerBound
    }

    mutating func address(_ family: String) -> String {
        while true {
            let number = next[family] ?? 10
            next[family] = number + 1
            let text = Self.address(
                family == "IPv6" ? settings.serviceIPv6 : settings.serviceIPv4, plus: number)
            if taken.insert(text).inserted { return text }
        }
    }

    /// Takes a certain address; false when somebody has it.
    mutating func take(_ address: String) -> Bool { taken.insert(address).inserted }

    mutating func port() -> Int? {
        for _ in 0..<settings.nodePorts.count {
            let port = nextPort
            nextPort =
                port == settings.nodePorts.upperBound
                ? settings.nodePorts.lowerBound : port + 1
            if takenPorts.insert(port).inserted { return port }
        }
        return nil
    }

    mutating func take(port: Int) -> Bool { takenPorts.insert(port).inserted }

    mutating func release(_ service: JSONObject) {
        for address in service["spec", "clusterIPs"]?.array ?? [] {
            if let text = address.string { taken.remove(text) }
        }
        releasePorts(service)
    }

    mutating func releasePorts(_ service: JSONObject) {
        for port in service["spec", "ports"]?.array ?? [] {
            if let number = port["nodePort"]?.integer { takenPorts.remove(Int(number)) }
        }
        if let number = service["spec", "healthCheckNodePort"]?.integer {
            takenPorts.remove(Int(number))
        }
    }

    private static func address(_ start: String, plus number: Int) -> String {
        if start.contains(":") {
            let tail =
                number < 65_536
                ? String(number, radix: 16)
                : "\(String(number >> 16, radix: 16)):\(String(number & 0xFFFF, radix: 16))"
            return start + tail
        }
        var value: UInt32 = 0
        for part in start.split(separator: ".") { value = value << 8 | (UInt32(part) ?? 0) }
        value += UInt32(number)
        return "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }
}
