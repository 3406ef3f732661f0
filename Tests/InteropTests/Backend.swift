import Foundation

extension NamespacedLAN {
    /// Starts nginx behind a node. It says which backend it is and which client it saw, on every
    /// port that the tests use.
    func startNginx(_ letter: String) throws {
        let place = folder.appending(path: "nginx-\(letter)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let listen = [80, 8080, 8170, 9876].map { "listen \($0); listen [::]:\($0);" }
        let configuration = """
            daemon off; master_process off; pid \(place)/pid; error_log \(place)/errors;
            events {}
            http {
                access_log off;
                client_body_temp_path \(place); proxy_temp_path \(place);
                fastcgi_temp_path \(place); uwsgi_temp_path \(place); scgi_temp_path \(place);
                server {
                    \(listen.joined(separator: " "))
                    location / { return 200 "backend \(letter) saw $remote_addr\\n"; }
                }
            }
            """
        try configuration.write(toFile: "\(place)/conf", atomically: true, encoding: .utf8)
        _ = try start(
            "backend-\(letter)", ["nginx", "-e", "\(place)/errors", "-c", "\(place)/conf"],
            log: "nginx-\(letter).log")
        try waitForPort(8080, of: "backend-\(letter)", "-t")
    }

    /// Starts a UDP server behind a node that says which backend it is and which client it saw.
    func startDatagramEcho(_ letter: String, port: Int) throws {
        let program = """
            import socket
            wire = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            wire.bind(("::", \(port)))
            while True:
                text, client = wire.recvfrom(2048)
                wire.sendto(b"backend \(letter) saw " + client[0].encode() + b": " + text, client)
            """
        _ = try start("backend-\(letter)", ["python3", "-c", program], log: "udp-\(letter).log")
        try waitForPort(port, of: "backend-\(letter)", "-u")
    }

    private func waitForPort(_ port: Int, of host: String, _ transport: String) throws {
        let isListening = try eventually(within: 10) {
            try run(host, "ss -lnH \(transport) sport = :\(port)").text.contains(":\(port)")
        }
        guard isListening != nil else {
            throw Shell.Failed(
                command: "server in \(host)", output: .init(status: -1, text: "not listening"))
        }
    }

    /// What a web server says to a host; `nil` when it did not answer within a second.
    func fetch(_ url: String, from host: String = "client") throws -> String? {
        let output = try run(
            host, "curl -gs --connect-timeout 0.5 --max-time 1 \(url)", allowFailure: true)
        return output.status == 0 ? output.text : nil
    }

    /// How a connection ends that nobody takes: curl's status and the time it took.
    func refusal(_ url: String, from host: String = "client") throws -> (Int32, Double) {
        let output = try run(
            host, "curl -gs -o /dev/null -w '%{time_total}' --max-time 3 \(url)",
            allowFailure: true)
        return (output.status, Double(output.text) ?? .infinity)
    }

    /// What a UDP server says to a host; `nil` when it did not answer.
    func exchange(
        _ text: String, with address: String, port: Int, from host: String = "client"
    ) throws -> String? {
        let family = address.contains(":") ? "AF_INET6" : "AF_INET"
        let program = """
            import socket
            wire = socket.socket(socket.\(family), socket.SOCK_DGRAM)
            wire.settimeout(0.5)
            wire.sendto(b"\(text)", ("\(address)", \(port)))
            print(wire.recv(2048).decode())
            """
        let output = try Shell.run(
            ["ip", "netns", "exec", namespace(host), "python3", "-c", program], allowFailure: true)
        return output.status == 0 ? output.text : nil
    }
}
