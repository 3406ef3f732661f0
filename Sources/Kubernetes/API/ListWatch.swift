public import NetworkTypes

/// Follows the objects of one resource on an API server: reads them all, then watches.
///
/// ```
///            started                          all initial events
///   ┌──────┐ ───────► ┌───────────┐ ────────────────────────────────► ┌──────────┐
///   │ idle │          │ streaming │ ─┐ refused, or never ended        │ watching │ ─┐ ended in
///   └──────┘          └───────────┘  ▼                     last page  └──────────┘ ◄┘ its time
///                            ▲    ┌─────────┐ ─────────────────────────► ▲    │
///                            │    │ listing │ ─┐ next page               │    │ failed, silent
///                            │    └─────────┘ ◄┘                         │    ▼
///                            │         ▲                             ┌─────────┐
///                            └─────────┴──── too old, or no list ────│ waiting │
///                                            yet                     └─────────┘
/// ```
///
/// The caller carries out the actions in their order; there is at most one request under way. What
/// a request brings goes into the ``ObjectMirror`` first and is then told here. `close` drops the
/// request, and after it nothing of that request may be told any more; an event that does not fit
/// the state changes nothing.
///
/// What deserves a word:
/// - **Lists.** A streaming list (`sendInitialEvents`) comes first, since it spares the server and
///   needs no page in memory. A server that does not know it is asked for pages, and for a
///   streaming list again an hour later at the earliest. A page is read consistently, without a
///   resourceVersion: `0` would let a server that lags bring back what is gone, and a version
///   together with a limit means something else to each generation of servers. A streaming list
///   after the first asks for nothing older than what has been seen, which the cache can answer.
/// - **Time does not go backwards.** A list that is older than what has been seen is thrown away
///   and asked for again. After three of those in succession it is believed: then the store was
///   restored from a copy, and its past is the truth.
/// - **Herds.** Everything that happens to all nodes at once, such as the restart of a server, is
///   answered at a random moment of ``Settings/spread``; watches end at random times in 290…580 s;
///   back-off is random as well.
/// - **Silence.** A watch that says nothing for its own timeout and 30 s more is dropped; if it
///   has brought two bookmarks, which come every minute, it is after three minutes of silence.
///
/// What has been seen stays in force whatever happens here: the machine says `finishReplacing`
/// only with a whole list in hand.
///
/// Bounds: nothing here grows. Standards: Kubernetes API Concepts ("Efficient detection of
/// changes", "Resource versions", "Retrieving large results sets in chunks", "Streaming lists").
public struct ListWatch: Hashable, Sendable {
    /// What is followed, and how.
    public struct Settings: Hashable, Sendable {
        /// The kind of object.
        public var resource: APIResource
        /// The namespace whose objects are followed; `nil` for all.
        public var namespace: String?
        /// A label selector in the API's notation.
        public var labelSelector: String?
        /// A field selector in the API's notation.
        public var fieldSelector: String?
        /// Objects in a page.
        public var pageSize = 500
        /// Whether streaming lists are tried.
        public var usesStreamingLists = true
        /// Within how much time a first retry falls, see ``ListWatch/spread(followers:)``.
        public var spread: Duration = .zero

        /// Follows all objects of a resource, or those of a namespace, that the selectors select.
        public init(
            resource: APIResource, namespace: String? = nil, labelSelector: String? = nil,
            fieldSelector: String? = nil
        ) {
            self.resource = resource
            self.namespace = namespace
            self.labelSelector = labelSelector
            self.fieldSelector = fieldSelector
        }

        /// Where the objects are found.
        public var path: String { resource.path(namespace: namespace) }
    }

    /// Something that happened.
    public enum Event: Hashable, Sendable {
        /// Following begins. `floor` is the youngest version that an earlier process has seen, if
        /// that is known: nothing older is believed at first.
        case started(floor: String?)
        /// A page of a list came, and the mirror has it. `continueToken` is `nil` for the last.
        case pageReceived(resourceVersion: String, continueToken: String?, count: Int)
        /// The server has begun to answer a watch.
        case watchOpened
        /// ADDED, MODIFIED or DELETED with this version, and the mirror has it.
        case eventReceived(resourceVersion: String)
        /// BOOKMARK.
        case bookmarkReceived(resourceVersion: String, endsInitialEvents: Bool)
        /// The server has ended the watch, whole lines to the last.
        case watchEnded
        /// A list, a page or a watch failed: no answer, an answer that says no, a line that says
        /// ERROR, a line that is none.
        case failed(APIFailure)
        /// The instant named by ``ListWatch/nextDeadline`` has come.
        case deadlineReached
        /// The server has answered somebody else of this process. Who waits because it could not be
        /// reached need not wait out its back-off.
        case serverReached
    }

    /// Something to do.
    public enum Action: Hashable, Sendable {
        /// Ask for a page.
        case list(ListQuery)
        /// Open a watch.
        case watch(WatchQuery)
        /// What comes from here on is a whole list: ``ObjectMirror/beginReplacing()``.
        case beginReplacing
        /// The list is whole, as of this version: ``ObjectMirror/finishReplacing(at:)``.
        case finishReplacing(resourceVersion: String)
        /// The list will not become whole: ``ObjectMirror/abandonReplacing()``.
        case abandonReplacing
        /// Drop the request that is under way, if there is one.
        case close
        /// Read or fetch anew what identifies us, before the next request.
        case refreshCredentials
        /// Say this, until it is said again in other words or recovered from.
        case troubled(APITrouble)
        /// The trouble is over.
        case recovered
    }

    /// Where it stands.
    public enum Phase: String, Hashable, Sendable {
        /// Not started.
        case idle
        /// Before the next attempt.
        case waiting
        /// In the middle of a list in pages.
        case listing
        /// In the middle of a streaming list.
        case streaming
        /// All objects are known, and changes come as they happen.
        case watching
    }

    /// What is followed, and how. ``Settings/spread`` may be changed at any time.
    public var settings: Settings
    /// Where it stands.
    public var phase: Phase { state.phase }
    /// Whether all objects have been read once.
    public internal(set) var isSynced = false
    /// Where a watch goes on from: the youngest version that the server has told.
    public internal(set) var resourceVersion: String?
    /// What is wrong at present.
    public internal(set) var trouble: APITrouble?

    var state = State.idle
    /// Failures, jitter and the waits between attempts.
    var pace: RetryPace
    /// Lists in succession that were older than what has been seen.
    var staleLists = 0
    /// Expired in the middle of pages so often in succession.
    var brokenLists = 0
    /// No streaming list is tried before.
    var streamingRefusedUntil: Instant?
    /// The version that we know is above what the server has.
    var isFloorRefused = false
    /// The last failure was 410.
    var wasExpired = false
    /// The last failure was that the server could not be reached.
    var wasUnreachable = false

    /// Makes a machine that is not started. The seed is for jitter: another one for each resource
    /// of each process.
    public init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        pace = RetryPace(seed: seed)
    }

    /// Takes in what happened and says what to do, in this order.
    public mutating func handle(_ event: Event, at now: Instant) -> [Action] {
        switch event {
        case .started(let floor): start(floor: floor, at: now)
        case .pageReceived(let version, let token, _):
            received(page: version, continuing: token, at: now)
        case .watchOpened: opened(at: now)
        case .eventReceived(let version): received(event: version, at: now)
        case .bookmarkReceived(let version, let endsInitialEvents):
            received(bookmark: version, endsInitialEvents: endsInitialEvents, at: now)
        case .watchEnded: ended(at: now)
        case .failed(let failure): failed(failure, at: now)
        case .deadlineReached: reachedDeadline(at: now)
        case .serverReached: reachedServer(at: now)
        }
    }

    /// When ``Event/deadlineReached`` is to be told, if nothing happens before.
    public var nextDeadline: Instant? { state.deadline }

    /// The spread for a resource that so many processes follow: 2 ms each, 10 s at most, so that a
    /// server is not asked more than 500 times a second for each resource.
    public static func spread(followers: Int) -> Duration {
        min(.milliseconds(2) * max(followers, 0), .seconds(10))
    }
}
