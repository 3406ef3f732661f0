/// How a scripted server is.
package struct ServerSettings: Sendable {
    /// What a server knows of `sendInitialEvents`.
    package enum StreamingLists: String, Sendable, CaseIterable {
        case served
        /// 422, as a server does that has it switched off.
        case refused
        /// As a server before 1.27: the parameter is not known and passed over.
        case ignored
    }

    package var host = "127.0.0.1"
    /// 0: one that is free. A server that is started again takes the same.
    package var port = 0
    /// `nil`: plain HTTP/1.1.
    package var certificates: ServerCertificates?
    /// Whether HTTP/2 is offered in TLS.
    package var offersHTTP2 = true
    package var streamingLists = StreamingLists.served
    /// Off: everybody whose token is good may everything.
    package var enforcesRBAC = true
    /// What `/version` says.
    package var version = "v1.34.0"
    /// How often a watch that wants bookmarks gets one.
    package var bookmarkMilliseconds = 60_000
    /// How many requests the log keeps.
    package var requestsKept = 200_000
    /// A watch whose client does not read is ended beyond so many bytes.
    package var watchBufferLimit = 64 << 20
    package var threads = 1
    package var cluster = ClusterSettings()

    package init() {}
}
