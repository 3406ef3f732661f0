import NIOCore
import NIOHTTP1
import Synchronization

/// One open watch on its way to a client.
final class WatchStream: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var sent = 0
        var isScheduled = false
        var isEnding = false
        var isClosed = false
        var lastEvent: [UInt8] = []
        var number = 0
    }

    /// What goes wrong with it.
    struct Trouble: Sendable {
        var duplicates = false
        var repeatsOlder = false
        var cutAfter: Int?
    }

    private let state = Mutex(State())
    private let channel: any Channel
    private let core: ServerCore
    private let user: String
    private let trouble: Trouble
    let scope: WatchScope

    init(
        channel: any Channel, core: ServerCore, user: String, trouble: Trouble, scope: WatchScope
    ) {
        self.channel = channel
        self.core = core
        self.user = user
        self.trouble = trouble
        self.scope = scope
    }

    /// Its name in the cluster.
    var number: Int {
        get { state.withLock { $0.number } }
        set { state.withLock { $0.number = newValue } }
    }

    /// Takes what the cluster tells. Called under its lock, from any thread.
    func receive(_ delivery: WatchDelivery) {
        let mustSchedule = state.withLock { state in
            guard !state.isClosed, !state.isEnding else { return false }
            switch delivery {
            case .events(let bytes, _):
                state.pending += bytes
                if trouble.duplicates { state.pending += bytes }
                if trouble.repeatsOlder {
                    state.pending += state.lastEvent
                    state.lastEvent = bytes
                }
                if state.pending.count > core.settings.watchBufferLimit { state.isEnding = true }
            case .end: state.isEnding = true
            }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { channel.eventLoop.execute { [self] in flush() } }
    }

    /// Tells what has come so far, in one go.
    private func flush() {
        if core.faults.isPartitioned(user) {
            channel.eventLoop.scheduleTask(in: .milliseconds(20)) { [self] in
                if !state.withLock({ $0.isClosed }) { flush() }
            }
            return
        }
        // A client that does not read is waited for; the bound ends it.
        guard channel.isWritable else {
            channel.eventLoop.scheduleTask(in: .milliseconds(2)) { [self] in
                if !state.withLock({ $0.isClosed }) { flush() }
            }
            return
        }
        var (bytes, ends) = state.withLock { state -> ([UInt8], Bool) in
            state.isScheduled = false
            guard !state.isClosed else { return ([], false) }
            defer { state.pending = [] }
            if state.isEnding { state.isClosed = true }
            return (state.pending, state.isEnding)
        }
        var isCut = false
        if let limit = trouble.cutAfter {
            let sent = state.withLock { $0.sent }
            if sent + bytes.count >= limit {
                bytes = Array(bytes.prefix(max(0, limit - sent)))
                isCut = true
                ends = false
            }
        }
        if !bytes.isEmpty {
            let count = bytes.count
            state.withLock { $0.sent += count }
            channel.writeAndFlush(
                HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
        }
        if isCut {
            closed()
            channel.close(promise: nil)
        } else if ends {
            core.cluster.unwatch(number, scope)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }

    /// The client is gone, or nothing more is to be said.
    func closed() {
        state.withLock { $0.isClosed = true }
        core.cluster.unwatch(number, scope)
    }

    var isOpen: Bool { state.withLock { !$0.isClosed && !$0.isEnding } }
}

extension Cluster {
    /// Ends a watch.
    func unwatch(_ number: Int, _ scope: WatchScope) {
        state.withLock { state in
            _ = state.collections[scope.kind.name]?.watchers.removeValue(forKey: number)
        }
    }

    /// Sends a bookmark to a watch that wants them.
    func bookmark(_ number: Int, _ scope: WatchScope) {
        state.withLock { state in
            guard let watcher = state.collections[scope.kind.name]?.watchers[number],
                watcher.wantsBookmarks
            else { return }
            watcher.deliver(
                .events(
                    Watcher.bookmark(state.revision, endsInitialEvents: false, scope), count: 1))
        }
    }

    /// Sends a bookmark to every watch that wants them, now.
    package func sendBookmarks() {
        state.withLock { state in
            for collection in state.collections.values {
                for watcher in collection.watchers.values where watcher.wantsBookmarks {
                    watcher.deliver(
                        .events(
                            Watcher.bookmark(
                                state.revision, endsInitialEvents: false, watcher.scope),
                            count: 1))
                }
            }
        }
    }

    /// Ends every watch in order, as a server does whose time-out has come.
    package func endWatches() { state.withLock { $0.endWatches() } }
}

extension ClusterState {
    func endWatches() {
        for collection in collections.values {
            for watcher in collection.watchers.values { watcher.deliver(.end) }
            collection.watchers = [:]
        }
    }
}
