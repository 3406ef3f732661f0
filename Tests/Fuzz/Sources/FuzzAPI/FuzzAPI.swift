@testable import Kubernetes

/// Feeds arbitrary bytes to what reads an API server's answers: objects, pages, the lines of a
/// watch, Leases, statuses. The first byte chooses the resource, the second how the rest is taken
/// and how the network has cut it.
///
/// Whatever the bytes are, they are read or refused. What is kept of an object for later must read
/// as the same object, and a watch must say the same however it was cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAPI(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard input.count > 2 else { return 0 }
    let resource = resources[Int(input[0]) % resources.count]
    let decoder = ObjectDecoder(resource: resource, keepsText: true)
    let text = Array(input[2...])
    switch input[1] % 4 {
    case 0: if let object = read(text, decoder.object) { checkKept(object, decoder) }
    case 1: checkPage(text, decoder)
    case 2: checkWatch(text, decoder, pieces: Int(input[1] >> 2) + 1)
    default: checkOthers(text)
    }
    return 0
}

private let resources =
    [
        APIResource.services, .endpointSlices, .nodes, .namespaces, .secrets, .leases,
        .serviceL2Statuses,
    ] + APIResource.configuration

/// The value of a text; `nil` where it is refused as malformed.
private func read<Value>(
    _ text: [UInt8], _ decode: ([UInt8]) throws(APIFailure) -> Value
) -> Value? {
    do throws(APIFailure) {
        return try decode(text)
    } catch {
        guard case .malformed(let reason) = error, !reason.isEmpty else {
            preconditionFailure("refused as \(error)")
        }
        return nil
    }
}

private func checkKept(_ object: APIObject, _ decoder: ObjectDecoder) {
    if object.value == nil, decoder.kind != nil, object.problems.isEmpty {
        // Only what is of no use has neither a value nor a problem.
        let isIdle = decoder.resource == .endpointSlices || decoder.resource == .serviceL2Statuses
        precondition(isIdle, "refused, and nobody says why")
    }
    if let text = object.text {
        precondition(!text.contains(0x0a), "more than one line: \(object.reference)")
        guard let again = read(text, decoder.object) else {
            preconditionFailure("what is kept cannot be read")
        }
        precondition(again.reference == object.reference, "another object")
        precondition(again.resourceVersion == object.resourceVersion, "another version")
        precondition(again.status == object.status, "another status")
        precondition(again.text == text, "another text")
        precondition((again.value == nil) == (object.value == nil), "another verdict")
    }
    if case .endpointSlice(let slice)? = object.value {
        let unpacked = PackedSlice(slice).unpacked(of: slice.service)
        precondition(unpacked.endpoints == slice.endpoints, "other endpoints")
        precondition(unpacked.ports == slice.ports, "other ports")
    }
}

private func checkPage(_ text: [UInt8], _ decoder: ObjectDecoder) {
    guard let page = read(text, decoder.page) else { return }
    for object in page.objects { checkKept(object, decoder) }
    var mirror = ObjectMirror(resource: decoder.resource)
    mirror.beginReplacing()
    var assembler = ServerAssembler(endpoints: .loadBalancersOnly)
    assembler.apply(mirror.accept(page))
    assembler.apply(mirror.finishReplacing(at: page.resourceVersion))
    let names = Set(page.objects.map(\.reference.name))
    precondition(mirror.count == names.count, "\(names.count) objects became \(mirror.count)")
    // Once more the same: nothing is new.
    mirror.beginReplacing()
    let changes = mirror.accept(page) + mirror.finishReplacing(at: page.resourceVersion)
    let isSingle = page.objects.count == names.count
    precondition(!isSingle || changes.isEmpty, "the same list, and changes")
    assembler.apply(changes)
    let services = assembler.snapshot().services.count
    precondition(services <= names.count, "more Services than objects")
}

private func checkWatch(_ text: [UInt8], _ decoder: ObjectDecoder, pieces: Int) {
    var whole = WatchLines()
    var cut = WatchLines()
    guard let lines = read(text, { bytes throws(APIFailure) in try whole.append(bytes) }) else {
        return
    }
    var others: [[UInt8]] = []
    for start in stride(from: 0, to: text.count, by: pieces) {
        let piece = Array(text[start..<min(start + pieces, text.count)])
        others += read(piece) { bytes throws(APIFailure) in try cut.append(bytes) } ?? []
    }
    precondition(lines == others && whole.hasHalfLine == cut.hasHalfLine, "cut, it says another")
    var mirror = ObjectMirror(resource: decoder.resource)
    var assembler = ServerAssembler(endpoints: .loadBalancersOnly)
    for line in lines {
        if let event = read(line, decoder.watchEvent) {
            assembler.apply(mirror.accept(event))
            let again = mirror.accept(event)
            // Versions that are no numbers are only known to be equal.
            precondition(again.isEmpty, "told twice, and taken twice")
        }
        _ = read(line, LeaseRecord.notice(watchLine:))
    }
    let snapshot = assembler.snapshot()
    precondition(snapshot.services.count <= mirror.count || decoder.resource != .services)
}

private func checkOthers(_ text: [UInt8]) {
    _ = read(text, LeaseRecord.init(json:))
    _ = read(text, LeaseRecord.list(json:))
    _ = read(text, ServiceStatusReading.init(json:))
    _ = read(text, ConfigurationStateReading.init(json:))
    let status = ObjectDecoder.status(text, code: 500)
    precondition((status.retryAfterSeconds ?? 1) > 0, "a wait that is none")
    guard let node = read(text, document) else { return }
    let written = JSONDocument.text(of: node)
    guard let again = read(written, document) else { preconditionFailure("written, and not JSON") }
    precondition(JSONDocument.text(of: again) == written, "written, and read as another")
}

private func document(_ text: [UInt8]) throws(APIFailure) -> DocumentNode {
    do throws(JSONFailure) {
        return try JSONDocument.node(text)
    } catch {
        throw .malformed("\(error)")
    }
}
