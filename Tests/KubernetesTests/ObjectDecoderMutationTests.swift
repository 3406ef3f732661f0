import Kubernetes
import Testing

/// Damaged answers: decoding ends with objects or a failure, never with a trap, and half an answer
/// is never taken for a whole one.
@Suite struct ObjectDecoderMutationTests {
    @Test(arguments: ServerObjectText.all.indices)
    func `every truncation of an answer is a failure`(index: Int) {
        let (resource, text) = ServerObjectText.all[index]
        let decoder = ObjectDecoder(resource: resource, keepsText: true)
        let page = ServerObjectText.page(of: resource, [text])
        for end in page.indices {
            #expect(throws: APIFailure.self) { try decoder.page(Array(page[..<end])) }
        }
        let line = ServerObjectText.event("MODIFIED", text)
        for end in stride(from: 0, to: line.count, by: 7) {
            #expect(throws: APIFailure.self) { try decoder.watchEvent(Array(line[..<end])) }
        }
    }

    @Test(arguments: ServerObjectText.all.indices)
    func `every change of one byte is decoded or refused`(index: Int) {
        let (resource, text) = ServerObjectText.all[index]
        let decoder = ObjectDecoder(resource: resource, keepsText: true)
        let original = Array(text.utf8)
        let signs: [UInt8] = [0x22, 0x2c, 0x5c, 0x7b, 0x5d, 0x31, 0x80, 0xff, 0]
        var decoded = 0
        for place in original.indices {
            // Any byte at all, and one of those that mean something.
            for byte in [UInt8(truncatingIfNeeded: place &* 167), signs[place % signs.count]] {
                var bytes = original
                bytes[place] = byte
                do {
                    let object = try decoder.object(bytes)
                    decoded += 1
                    #expect(object.value != nil || !object.problems.isEmpty || object.isUseless)
                } catch {
                    guard case .malformed = error else {
                        Issue.record("\(error)")
                        continue
                    }
                }
            }
        }
        #expect(decoded > 0)
    }

    @Test func `bytes that are no JSON at all are refused`() {
        var random = SplitMix(seed: 0x6a73_6f6e)
        let decoder = ObjectDecoder(resource: .endpointSlices)
        let alphabet = Array("{}[]\",:\\u0123456789eE+-.truefalsn \n".utf8) + [0, 0x80, 0xc3, 0xff]
        for _ in 0..<20_000 {
            let bytes = (0..<random.below(40)).map { _ in alphabet[random.below(alphabet.count)] }
            #expect(throws: APIFailure.self) { try decoder.object(bytes) }
        }
    }
}

extension APIObject {
    /// A slice of names instead of addresses: right, and of no use.
    fileprivate var isUseless: Bool { reference.kind == "EndpointSlice" }
}
