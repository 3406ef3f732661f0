/// Programs that the tests run in network namespaces, in Python.
enum ChainProgram {
    /// SCTP by hand (RFC 9260): kernels without it still translate its addresses. An INIT, and an
    /// INIT ACK whose state cookie is a text.
    static let sctp = """
        import random, selectors, socket, struct, sys, time

        INIT, INIT_ACK = 1, 2

        def crc32c(data):
            crc = 0xFFFFFFFF
            for byte in data:
                crc ^= byte
                for _ in range(8):
                    crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
            return crc ^ 0xFFFFFFFF

        def sctp(source, target, tag, kind, text=b""):
            text += b" " * (-len(text) % 4)
            body = struct.pack("!IIHHI", 1, 65536, 1, 1, 1)
            if text:
                body += struct.pack("!HH", 7, 4 + len(text)) + text
            chunk = struct.pack("!BBH", kind, 0, 4 + len(body)) + body
            head = struct.pack("!HHI", source, target, tag)
            return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk

        def unpacked(packet, family):
            if family == socket.AF_INET:
                packet = packet[(packet[0] & 15) * 4:]
            source, target, _, crc = struct.unpack("!HHI", packet[:8]) + struct.unpack(
                "<I", packet[8:12])
            isWhole = crc == crc32c(packet[:8] + bytes(4) + packet[12:])
            return source, target, packet[12] if isWhole else None, packet[36:]

        def familyOf(address):
            return socket.AF_INET6 if ":" in address else socket.AF_INET


        """

    /// `serve ADDRESS,… TRANSPORT/PORT,…`: says at which address it was reached, and by whom.
    static let serve = """
        wait = selectors.DefaultSelector()
        kinds = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "sctp": socket.SOCK_RAW}
        for address in sys.argv[1].split(","):
            for item in sys.argv[2].split(","):
                name, port = item.split("/")
                wire = socket.socket(
                    familyOf(address), kinds[name], 132 if name == "sctp" else 0)
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                wire.bind((address, 0 if name == "sctp" else int(port)))
                if name == "tcp":
                    wire.listen(512)
                wait.register(wire, selectors.EVENT_READ, (name, address, int(port)))
        print("listening", flush=True)
        while True:
            for key, _ in wait.select():
                wire, (name, address, port) = key.fileobj, key.data
                if name == "tcp":
                    peer, client = wire.accept()
                    try:
                        peer.sendall(f"{address} saw {client[0]}\\n".encode())
                    except OSError:
                        pass
                    peer.close()
                    continue
                packet, client = wire.recvfrom(2048)
                text = f"{address} saw {client[0]} ".encode()
                if name == "udp":
                    wire.sendto(text + packet, client)
                    continue
                source, target, kind, _ = unpacked(packet, wire.family)
                if kind == INIT and target == port:
                    wire.sendto(sctp(port, source, 1, INIT_ACK, text), (client[0], 0))
        """

    /// `ask PATIENCE TRANSPORT/ADDRESS/PORT[/SOURCE] …`: prints what became of each.
    static let ask = """
        from concurrent.futures import ThreadPoolExecutor

        patience = float(sys.argv[1])

        def talk(wire, name, port):
            if name == "tcp":
                return wire.makefile("rb").readline()
            if name == "udp":
                wire.send(b"hello")
                return wire.recv(2048)
            own = random.randrange(1024, 65536)
            wire.send(sctp(own, port, 0, INIT))
            while True:
                _, target, kind, body = unpacked(wire.recv(2048), wire.family)
                if (target, kind) == (own, INIT_ACK):
                    return body

        def ask(item):
            name, address, port, *source = item.split("/")
            kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM, "sctp": socket.SOCK_RAW}
            begin = time.monotonic()
            with socket.socket(
                    familyOf(address), kind[name], 132 if name == "sctp" else 0) as wire:
                try:
                    wire.settimeout(patience)
                    if source:
                        wire.bind((source[0], 0))
                    wire.connect((address, 0 if name == "sctp" else int(port)))
                    text = talk(wire, name, int(port)).decode().strip() or "closed"
                except (ConnectionRefusedError, ConnectionResetError):
                    text = "refused"
                except TimeoutError:
                    text = "silent"
                except OSError as error:
                    text = error.strerror
            return f"{item}\\t{text}\\t{time.monotonic() - begin:.4f}"

        with ThreadPoolExecutor(16) as pool:
            for line in pool.map(ask, sys.argv[2:]):
                print(line)
        """
}
