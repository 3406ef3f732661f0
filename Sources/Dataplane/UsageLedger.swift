/// What went through each Service port since the process began, made of looks at the kernel's
/// elements.
///
/// An element counts from when it was made, and elements come and go with endpoints. So of every
/// look only what came since the look before is added, and sums never fall. What an element counted
/// after the last look before it went is lost: a look just before a change keeps that small.
///
/// It holds at most what the table holds: Service ports and endpoints that left the table are
/// forgotten with the next look.
public struct UsageLedger: Sendable {
    /// The elements that have counted anything, most of a large table not among them.
    private var last: [SetElement: ElementCounter] = [:]
    private var sums: [ServiceChain.Identity: Ruleset.Usage] = [:]

    /// Nothing was counted yet.
    public init() {}

    /// What went through each Service port.
    public var usages: [ServiceChain.Identity: Ruleset.Usage] { sums }

    /// Adds what a look at the kernel's elements found: a table that was read with its counters.
    ///
    /// Elements that belong to nothing in `ruleset` are passed over, and so is one that leads
    /// elsewhere in the table than in `ruleset`: it was changed meanwhile. What an element of the
    /// ruleset counted at an earlier look is remembered when this one did not come to see it.
    public mutating func add(_ table: KernelTable, of ruleset: Ruleset) {
        add(table.counters, of: ruleset) { table.elements[$0.key] == $0.value }
    }

    mutating func add(
        _ counters: [SetElement.Key: ElementCounter], of ruleset: Ruleset,
        where isThere: (SetElement) -> Bool = { _ in true }
    ) {
        // A slot that leads elsewhere than at the last look is another element.
        var latest: [SetElement: ElementCounter] = [:]
        var news: [SetElement.Key: ElementCounter] = [:]
        let elements = ruleset.elements
        for element in elements {
            guard let counter = counters[element.key], counter != ElementCounter(),
                isThere(element)
            else { continue }
            latest[element] = counter
            news[element.key] = counter.since(last[element])
        }
        // A look that broke off saw some of them only. Forgotten, they would count twice.
        let unseen = last.filter { latest[$0.key] == nil }
        if !unseen.isEmpty {
            for element in elements {
                guard let counter = unseen[element] else { continue }
                latest[element] = counter
            }
        }
        last = latest
        var next: [ServiceChain.Identity: Ruleset.Usage] = [:]
        for (identity, usage) in ruleset.usage(of: news) {
            var sum = sums[identity] ?? Ruleset.Usage()
            sum.connections &+= usage.connections
            sum.traffic = sum.traffic + usage.traffic
            sum.endpoints = usage.endpoints.reduce(into: [:]) { endpoints, endpoint in
                endpoints[endpoint.key] =
                    endpoint.value &+ sum.endpoints[endpoint.key, default: 0]
            }
            next[identity] = sum
        }
        sums = next
    }
}
