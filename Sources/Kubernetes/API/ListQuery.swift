/// A request for one page of a list.
public struct ListQuery: Hashable, Sendable {
    /// Where the objects are found.
    public var path: String
    /// A label selector.
    public var labelSelector: String?
    /// A field selector.
    public var fieldSelector: String?
    /// Objects in the page.
    public var limit: Int
    /// What the page before gave to go on with; `nil` for the first page.
    public var continueToken: String?

    /// The parameters of the query, not yet escaped.
    public var items: [(String, String)] {
        var items = [("limit", "\(limit)")]
        if let continueToken { items.append(("continue", continueToken)) }
        if let labelSelector { items.append(("labelSelector", labelSelector)) }
        if let fieldSelector { items.append(("fieldSelector", fieldSelector)) }
        return items
    }
}

/// A request for a watch, or for a streaming list that becomes one.
public struct WatchQuery: Hashable, Sendable {
    /// Where the objects are found.
    public var path: String
    /// A label selector.
    public var labelSelector: String?
    /// A field selector.
    public var fieldSelector: String?
    /// Where the watch begins; with ``sendsInitialEvents``, what the list may not be older than.
    public var resourceVersion: String?
    /// Whether all objects are to be told first.
    public var sendsInitialEvents: Bool
    /// When the server is to end the watch.
    public var timeoutSeconds: Int

    /// The parameters of the query, not yet escaped.
    public var items: [(String, String)] {
        var items = [
            ("watch", "true"), ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", "\(timeoutSeconds)"),
        ]
        if sendsInitialEvents {
            items.append(("sendInitialEvents", "true"))
            items.append(("resourceVersionMatch", "NotOlderThan"))
        }
        if let resourceVersion { items.append(("resourceVersion", resourceVersion)) }
        if let labelSelector { items.append(("labelSelector", labelSelector)) }
        if let fieldSelector { items.append(("fieldSelector", fieldSelector)) }
        return items
    }
}
