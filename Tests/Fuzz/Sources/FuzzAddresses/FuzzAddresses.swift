import Glibc
import NetworkTypes

/// Feeds arbitrary text to the readers of addresses, prefixes, ranges and link-layer addresses.
///
/// What is read must be written as text that reads as the same value, and an address is one
/// exactly when `inet_pton(3)` says so, with the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddresses(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let text = String(decoding: input, as: UTF8.self)
    let address = IPAddress(text)
    precondition(address?.bytes == judgement(Array(text.utf8)), "inet_pton disagrees")
    checkReturn(address)
    checkReturn(MACAddress(text))
    let prefix = Prefix(text)
    checkReturn(prefix)
    if let prefix {
        precondition(prefix.contains(prefix.network), "a prefix without its network")
        precondition(prefix.range.prefixes == [prefix], "a prefix is not one block")
    }
    let range = AddressRange(text)
    checkReturn(range)
    if let range { check(range) }
    return 0
}

private func checkReturn<Value: LosslessStringConvertible & Equatable>(_ value: Value?) {
    guard let value else { return }
    precondition(Value(value.description) == value, "it does not read as it is written")
}

private func check(_ range: AddressRange) {
    let blocks = range.prefixes
    precondition(!blocks.isEmpty && blocks.count <= 2 * range.family.bitWidth, "too many blocks")
    precondition(blocks.first?.range.first == range.first, "the first address is missing")
    precondition(blocks.last?.range.last == range.last, "the last address is missing")
    for (block, next) in zip(blocks, blocks.dropFirst()) {
        precondition(block.range.last.bits + 1 == next.range.first.bits, "a gap or an overlap")
    }
}

/// What the C library makes of the text: the bytes of an address, or `nil`.
private func judgement(_ text: [UInt8]) -> [UInt8]? {
    guard !text.contains(0) else { return nil }
    let family = text.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
    var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
    let terminated = text.map(CChar.init(bitPattern:)) + [0]
    let status = unsafe bytes.withUnsafeMutableBytes { space in
        unsafe terminated.withUnsafeBufferPointer { characters in
            guard let first = characters.baseAddress else { return CInt(0) }
            return unsafe inet_pton(family, first, space.baseAddress)
        }
    }
    return status == 1 ? bytes : nil
}
