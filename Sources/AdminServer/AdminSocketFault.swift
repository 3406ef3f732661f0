/// Why the place of an admin socket is not taken.
enum AdminSocketFault: Error, Equatable {
    /// Something else than a socket is there.
    case noSocket(path: String)
    /// Another process listens there.
    case inUse(path: String)
}

extension AdminSocketFault: CustomStringConvertible {
    var description: String {
        switch self {
        case .noSocket(let path): "\(path) is there and no socket; it is left alone"
        case .inUse(let path): "another process listens at \(path)"
        }
    }
}
