/// Numbers of the kernel's nf_tables interface (`linux/netfilter/nf_tables.h`, `nfnetlink.h`), by
/// the object that they describe. They are part of the kernel's stable interface.
enum Nft {
    static let subsystem: UInt16 = 10
    static let inet: UInt8 = 1

    enum Message {
        static let batchBegin: UInt16 = 0x10
        static let batchEnd: UInt16 = 0x11
        static let newTable: UInt16 = 0
        static let getTable: UInt16 = 1
        static let deleteTable: UInt16 = 2
        static let newChain: UInt16 = 3
        static let deleteChain: UInt16 = 5
        static let newRule: UInt16 = 6
        static let deleteRule: UInt16 = 8
        static let newSet: UInt16 = 9
        static let deleteSet: UInt16 = 11
        static let newElements: UInt16 = 12
        static let deleteElements: UInt16 = 14
    }

    enum Flag {
        static let request: UInt16 = 0x1
        static let acknowledge: UInt16 = 0x4
        static let create: UInt16 = 0x400
        static let append: UInt16 = 0x800
    }

    enum Table {
        static let name: UInt16 = 1
        static let userData: UInt16 = 6
        /// What the `nft` tool shows as the table's comment, at most 128 bytes with the zero.
        static let comment: UInt8 = 0
        static let maximumComment = 128
        /// Our own: what the table is made like.
        static let layout: UInt8 = 0x6d
    }

    enum Chain {
        static let table: UInt16 = 1
        static let name: UInt16 = 3
        static let hook: UInt16 = 4
        static let policy: UInt16 = 5
        static let type: UInt16 = 7
        static let hookNumber: UInt16 = 1
        static let hookPriority: UInt16 = 2
    }

    enum Rule {
        static let table: UInt16 = 1
        static let chain: UInt16 = 2
        static let expressions: UInt16 = 4
        static let expression: UInt16 = 1
        static let userData: UInt16 = 7
    }

    enum Set {
        static let table: UInt16 = 1
        static let name: UInt16 = 2
        static let flags: UInt16 = 3
        static let keyType: UInt16 = 4
        static let keyLength: UInt16 = 5
        static let dataType: UInt16 = 6
        static let dataLength: UInt16 = 7
        static let description: UInt16 = 9
        static let descriptionSize: UInt16 = 1
        static let identifier: UInt16 = 10
        static let collection: UInt16 = 12
        static let userData: UInt16 = 13
        static let expression: UInt16 = 17
        static let anonymous: UInt32 = 1
        static let constant: UInt32 = 2
        static let interval: UInt32 = 4
        static let map: UInt32 = 8
        static let timeout: UInt32 = 0x10
        static let changedByPackets: UInt32 = 0x20
    }

    enum Elements {
        static let table: UInt16 = 1
        static let set: UInt16 = 2
        static let list: UInt16 = 3
        static let setIdentifier: UInt16 = 4
        static let item: UInt16 = 1
        static let key: UInt16 = 1
        static let data: UInt16 = 2
        static let flags: UInt16 = 3
        static let intervalEnd: UInt32 = 1
    }

    enum Data {
        static let value: UInt16 = 1
        static let verdict: UInt16 = 2
        static let verdictCode: UInt16 = 1
        static let verdictChain: UInt16 = 2
        static let drop: UInt32 = 0
        static let jump = UInt32(bitPattern: -3)
        static let goto = UInt32(bitPattern: -4)
        static let leave = UInt32(bitPattern: -5)
        static let verdictType: UInt32 = 0xffff_ff00
        static let verdictRegister: UInt32 = 0
    }

    /// Data types of the `nft` tool; the kernel keeps them only so that the tool can print values.
    enum DataType {
        static let mark: UInt32 = 19
        static let ipv4Address: UInt32 = 7
        static let ipv6Address: UInt32 = 8
        static let transportProtocol: UInt32 = 12
        static let port: UInt32 = 13

        /// The type of several values in a row.
        static func concatenated(_ types: UInt32...) -> UInt32 { types.reduce(0) { $0 << 6 | $1 } }
    }
}
