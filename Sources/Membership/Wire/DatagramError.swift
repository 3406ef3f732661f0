/// Why a datagram is no datagram of ours. Nothing of it is used then.
public enum DatagramError: Error, Hashable, Sendable {
    /// It holds no byte, or more than ``DatagramCoder/maximumPayload``.
    case badSize(Int)
    /// It is in a format that we do not know.
    case unknownVersion(UInt8)
    /// It ends before the value at this offset does.
    case truncated(offset: Int)
    /// The message at this offset says something that cannot be.
    case malformed(Reason, offset: Int)

    /// What cannot be.
    public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
        /// The message says all it can say, and goes on.
        case trailingBytes
        /// A list without a member.
        case emptyList
        /// A number written longer than needed, or longer than 64 bits.
        case number
        /// A bit that means nothing.
        case flags
        /// No such state of a member.
        case state
        /// No such cause of a death.
        case cause
        /// No such address family.
        case family
        /// A name that no node can have.
        case name
        /// A key that is empty or longer than ``Delta/Entry/maximumKey``.
        case key
        /// A value longer than ``Delta/Entry/maximumValue``.
        case value
        /// Members that do not ascend, or lie outside the range of their digest.
        case order
        /// Versions that do not ascend, lie outside the range of their delta, or contradict it.
        case version
    }
}
