import Kubernetes

@testable import ClusterSource

/// Feeds arbitrary bytes to the readers of the files in the shared state folder. The first byte
/// chooses: `A` allocations, `B` a speaker, `C` status. What is read must be written as text that
/// reads as the same value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzState(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let text = Array(input[1...])
    do {
        switch choice {
        case UInt8(ascii: "A"): try checkAllocations(text)
        case UInt8(ascii: "B"): try checkSpeaker(text)
        case UInt8(ascii: "C"): try checkStatus(text)
        default: break
        }
    } catch {
        preconditionFailure("what was read cannot be written and read again: \(error)")
    }
    return 0
}

/// The value of a text; `nil` where it is refused, which is as good.
private func read<Value>(
    _ text: [UInt8], _ decode: ([UInt8]) throws(AllocationFile.Failure) -> Value
) -> Value? {
    do { return try decode(text) } catch { return nil }
}

private func checkAllocations(_ text: [UInt8]) throws {
    guard let content = read(text, AllocationFile.decode) else { return }
    var table = StateTable()
    table.generation = content.generation
    table.allocations = content.allocations
    let again = try AllocationFile.decode(AllocationFile.encode(table, writer: "node-a"))
    precondition(again.generation == content.generation, "another generation")
    precondition(again.allocations == content.allocations, "other allocations")
}

private func checkSpeaker(_ text: [UInt8]) throws {
    guard let record = read(text, SpeakerFile.decode) else { return }
    let again = try SpeakerFile.decode(SpeakerFile.encode(record))
    precondition(again == record, "another record")
}

private func checkStatus(_ text: [UInt8]) throws {
    guard let status = read(text, StatusFile.decode) else { return }
    let again = try StatusFile.decode(StatusFile.encode(status))
    precondition(again == status, "another status")
}
