/// One reading of an older configuration, entry by entry; each entry has a log of its own, so that
/// an error refuses that entry alone.
struct LegacyReading {
    private typealias Kind = ConfigurationObject.Kind

    private enum AddressProtocol: String, CaseIterable {
        case layer2, bgp
    }

    private let log: ProblemLog
    private let reader = ConfigurationReader(dialect: .older)
    private(set) var entries: [ConfigurationInput.Entry] = []
    private(set) var refused: Set<ConfigurationObject.Reference> = []
    private var used: Set<ConfigurationObject.Reference> = []

    init(log: ProblemLog) { self.log = log }

    // MARK: Entries

    /// A bad alias is left out, and with it the advertisements that use it.
    mutating func readCommunities(_ fields: FieldReader) {
        var community = Community(metadata: metadata("bgp-communities"))
        let entryLog = begin(.community, "bgp-communities")
        for (name, value) in fields.takeAll() {
            let inner = FieldValue(node: value.node, path: value.path, log: entryLog)
            guard let value = ConfigurationReader.communityValue(inner) else { continue }
            community.aliases.append(Community.Alias(name: name, value: value))
        }
        forward(entryLog)
        add(.community(community), entryLog, line: fields.line, path: fields.path)
    }

    mutating func readProfile(_ value: FieldValue) {
        guard let (name, fields) = named(value, .bfdProfile) else { return }
        let profile = reader.bfdProfile(metadata(name), fields)
        fields.finish()
        end(.bfdProfile(profile), fields)
    }

    mutating func readPeer(_ value: FieldValue, number: Int) {
        let name = "peer-\(number)"
        guard let fields = fields(value, .bgpPeer, name) else { return }
        let peer = reader.bgpPeer(metadata(name), fields)
        fields.finish()
        guard let peer, !fields.log.hasErrors else {
            refuse(.bgpPeer, name)
            forward(fields.log)
            return
        }
        end(.bgpPeer(peer), fields)
    }

    mutating func readPool(_ value: FieldValue) {
        guard let (name, fields) = named(value, .pool) else { return }
        if !NameRules.isDNSSubdomain(name) {
            fields.report(
                .warning, "name", "\"\(FieldValue.clip(name))\" cannot be the name of an object",
                remedy: "use lower-case letters, digits, - and . before converting")
        }
        let kind: AddressProtocol? = fields.required("protocol")?.enumeration()
        let pool = reader.pool(metadata(name), fields)
        let advertisements = fields.list("bgp-advertisements")
        if kind == .layer2, fields.has("bgp-advertisements") {
            fields.fail(
                "bgp-advertisements", "cannot be used with protocol layer2",
                remedy: "remove it, or use protocol: bgp")
        }
        fields.finish()
        if fields.log.hasErrors {
            refuse(.l2Advertisement, name)
            for number in 0...advertisements.count {
                refuse(.bgpAdvertisement, Self.numbered(name, number))
            }
        }
        end(.pool(pool), fields)
        guard let kind, !fields.log.hasErrors else { return }
        switch kind {
        case .layer2:
            var advertisement = L2Advertisement(metadata: metadata(name))
            advertisement.ipAddressPools = [name]
            add(.l2Advertisement(advertisement), fields.log, line: fields.line, path: fields.path)
        case .bgp:
            readAdvertisements(advertisements, of: name, fields)
        }
    }

    private mutating func readAdvertisements(
        _ values: [FieldValue], of pool: String, _ fields: FieldReader
    ) {
        if values.isEmpty {
            let name = unusedName(.bgpAdvertisement, pool)
            var advertisement = BGPAdvertisement(metadata: metadata(name))
            advertisement.ipAddressPools = [pool]
            add(.bgpAdvertisement(advertisement), fields.log, line: fields.line, path: fields.path)
        }
        for value in values {
            let name = unusedName(.bgpAdvertisement, pool)
            guard let inner = self.fields(value, .bgpAdvertisement, name) else { continue }
            var advertisement = reader.bgpAdvertisement(metadata(name), inner)
            advertisement.ipAddressPools = [pool]
            inner.finish()
            end(.bgpAdvertisement(advertisement), inner)
        }
    }

    // MARK: One entry's log and outcome

    private func metadata(_ name: String) -> ObjectMeta { ObjectMeta(name: ObjectName(name)) }

    private func begin(_ kind: Kind, _ name: String) -> ProblemLog {
        let entryLog = ProblemLog(
            file: log.file, lineOffset: log.lineOffset,
            object: "\(kind.rawValue) \(FieldValue.clip(name))")
        entryLog.recordFieldLines()
        return entryLog
    }

    private mutating func fields(
        _ value: FieldValue, _ kind: Kind, _ name: String
    ) -> FieldReader? {
        let entryLog = begin(kind, name)
        let inner = FieldValue(node: value.node, path: value.path, log: entryLog)
        if let fields = inner.reader() { return fields }
        refuse(kind, name)
        forward(entryLog)
        return nil
    }

    /// The entry's name and fields; without a name of its own an entry cannot be told apart.
    private mutating func named(
        _ value: FieldValue, _ kind: Kind
    ) -> (name: String, fields: FieldReader)? {
        guard case .mapping(let mapping) = value.node else {
            _ = value.reader()
            return nil
        }
        let nameLog = begin(kind, "")
        let probe = FieldReader(mapping, path: value.path, log: nameLog)
        guard let name = probe.requiredString("name"), !name.isEmpty else {
            if !nameLog.hasErrors {
                probe.fail("name", "is empty", remedy: "give the entry a name")
            }
            forward(nameLog)
            return nil
        }
        let fields = FieldReader(mapping, path: value.path, log: begin(kind, name))
        fields.ignore("name")
        guard used.insert(reference(kind, name)).inserted else {
            fields.fail(
                "name", "\(FieldValue.clip(name)) is the name of an earlier entry",
                remedy: "choose another name, or merge the two")
            forward(fields.log)
            return nil
        }
        return (name, fields)
    }

    private mutating func end(_ object: ConfigurationObject, _ fields: FieldReader) {
        if fields.log.hasErrors {
            refused.insert(object.reference)
        } else {
            add(object, fields.log, line: fields.line, path: fields.path)
        }
        forward(fields.log)
    }

    private mutating func add(
        _ object: ConfigurationObject, _ entryLog: ProblemLog, line: Int?, path: String
    ) {
        // Rules among objects speak of the fields of the kinds.
        var lines: [String: Int] = [:]
        for (field, line) in entryLog.fieldLines ?? [:] where field.hasPrefix(path + ".") {
            let inner = field.dropFirst(path.count + 1)
            let first = inner.prefix { $0 != "." && $0 != "[" }
            lines["spec.\(ConfigurationReader.currentName(first))\(inner.dropFirst(first.count))"] =
                line
        }
        entries.append(
            ConfigurationInput.Entry(
                object, file: entryLog.file, line: line.map { $0 + entryLog.lineOffset },
                fieldLines: lines))
    }

    private mutating func refuse(_ kind: Kind, _ name: String) {
        refused.insert(reference(kind, name))
    }

    private func reference(_ kind: Kind, _ name: String) -> ConfigurationObject.Reference {
        ConfigurationObject.Reference(kind: kind, name: ObjectName(name))
    }

    /// Passes the entry's problems on to the file's log.
    private func forward(_ entryLog: ProblemLog) {
        let object = log.object
        for problem in entryLog.finish() {
            log.object = problem.object
            log.add(
                problem.severity, line: problem.line.map { $0 - log.lineOffset },
                field: problem.field, rule: problem.rule, remedy: problem.remedy)
        }
        log.object = object
    }

    private static func numbered(_ name: String, _ number: Int) -> String {
        number < 2 ? name : "\(name)-\(number)"
    }

    private mutating func unusedName(_ kind: Kind, _ name: String) -> String {
        var number = 1
        while !used.insert(reference(kind, Self.numbered(name, number))).inserted { number += 1 }
        return Self.numbered(name, number)
    }
}
