/// Reads manifests: any number of documents and `List`s in one text, YAML or JSON.
///
/// Reading is strict and isolated: all errors of all objects are found, each with its line, field,
/// rule and remedy, and an object with an error is refused without harm to its neighbours.
public enum ManifestReader {
    /// Reads the text of one file; `file` is its name in messages. Never throws, never traps.
    public static func read(_ text: String, file: String) -> ManifestFile {
        var reading = ManifestFileReading(file: file)
        let unparsable = YAMLDocuments.read(text, file: file) { root, lineOffset in
            reading.read(root, lineOffset: lineOffset)
        }
        var result = reading.result
        result.isParsable = unparsable.isEmpty
        result.problems += unparsable
        result.problems = result.problems.enumerated()
            .sorted {
                ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
            }
            .map(\.element)
        return result
    }
}

/// The reading of one file, document by document.
private struct ManifestFileReading {
    /// Lists of lists are read to this depth.
    static let listDepthLimit = 4

    var result: ManifestFile
    /// Kinds that a notice has been given for.
    private var noticedKinds: Set<String> = []

    init(file: String) { result = ManifestFile(file: file) }

    /// Reads one document, or one item of a list whose kind its items may leave out.
    mutating func read(
        _ node: DocumentNode, lineOffset: Int, implied: (kind: String, apiVersion: String)? = nil,
        depth: Int = 0
    ) {
        let log = ProblemLog(file: result.file, lineOffset: lineOffset)
        var isIdentified = false
        defer {
            if log.hasErrors && !isIdentified { result.hasUnidentified = true }
            result.problems += log.finish()
        }
        let value = FieldValue(node: node, path: "", log: log)
        guard !value.isNull else { return }
        guard let fields = value.reader() else { return }
        guard fields.has("kind") || fields.has("apiVersion") || implied != nil else {
            readWithoutKind(fields)
            return
        }
        let kind = fields.string("kind") ?? implied?.kind
        let apiVersion = fields.string("apiVersion") ?? implied?.apiVersion
        guard let kind, let apiVersion else {
            if !log.hasErrors {
                _ = kind == nil ? fields.required("kind") : fields.required("apiVersion")
            }
            return
        }
        log.object = FieldValue.clip(kind)
        if kind.hasSuffix("List"), fields.has("items") {
            readList(fields, kind: kind, apiVersion: apiVersion, depth: depth)
        } else if let reader = kindReader(kind, apiVersion: apiVersion, fields) {
            isIdentified = readObject(fields, reader, apiVersion: apiVersion)
        }
    }

    private mutating func readList(
        _ fields: FieldReader, kind: String, apiVersion: String, depth: Int
    ) {
        guard depth < Self.listDepthLimit else {
            fields.fail(
                "items", "lists are nested deeper than \(Self.listDepthLimit)",
                remedy: "put the objects into one list")
            return
        }
        let item = kind.dropLast("List".count)
        let implied = item.isEmpty ? nil : (kind: String(item), apiVersion: apiVersion)
        for element in fields.list("items") {
            read(
                element.node, lineOffset: fields.log.lineOffset, implied: implied,
                depth: depth + 1)
        }
    }

    /// The reader of a kind; `nil`, with the reason recorded, when there is none.
    private mutating func kindReader(
        _ kind: String, apiVersion: String, _ fields: FieldReader
    ) -> KindReader? {
        let group = KindReader.group(of: apiVersion)
        let isOurGroup = group == "metallb.io"
        guard let reader = KindReader.all[kind], reader.group == group || isOurGroup else {
            let key = "\(apiVersion) \(kind)"
            guard noticedKinds.count < ProblemLog.limit, noticedKinds.insert(key).inserted else {
                return nil
            }
            let known = KindReader.all.values.filter { $0.group == group }.map(\.kind)
            let near = NearestName.remedy(for: kind, among: known)
            if near != nil { result.hasUnidentified = true }
            fields.report(
                isOurGroup ? .error : near == nil ? .notice : .warning, "kind",
                "\(FieldValue.clip(key)) is not a kind that Martlet reads; passed over",
                remedy: near ?? "nothing to do, unless it was meant to be read")
            return nil
        }
        if reader.apiVersions.contains(apiVersion) { return reader }
        fields.fail(
            "apiVersion", "\(FieldValue.clip(apiVersion)) is not a version of \(kind) that is read",
            remedy: "use \(reader.apiVersions.joined(separator: " or "))")
        // Still read, so that its other errors are found and its name is known to be refused.
        return reader
    }

    /// Reads an object; false when it is broken and not even its name is known.
    private mutating func readObject(
        _ fields: FieldReader, _ reader: KindReader, apiVersion: String
    ) -> Bool {
        let log = fields.log
        if case .configuration = reader.reading { log.recordFieldLines() }
        guard let metadata = ObjectMeta.read(fields, reader) else { return false }
        let reference = ManifestObject.Reference(kind: reader.kind, name: metadata.name)
        log.object = reference.description
        var value: ManifestObject.Value?
        switch reader.reading {
        case .object(let read):
            value = read(fields, metadata)
        case .configuration(let kind):
            value = ConfigurationObject.read(kind, apiVersion: apiVersion, fields, metadata)
                .map { .configuration($0) }
        case .ignored(let reason):
            if noticedKinds.insert(reader.kind).inserted {
                fields.report(
                    .notice, "kind", reason, remedy: "nothing to do; it may be left out")
            }
            return true
        }
        fields.finish(alsoKnown: ["status"])
        if reader.kind == "ConfigMap" { readOlderConfiguration(in: fields, metadata) }
        guard !log.hasErrors else {
            result.refused.insert(reference)
            return true
        }
        guard let value else { return true }
        result.objects.append(
            ManifestObject(
                reference: reference, value: value, file: result.file,
                line: fields.line.map { $0 + log.lineOffset }, fieldLines: log.fieldLines ?? [:]))
        return true
    }

    // MARK: The older configuration

    private mutating func readWithoutKind(_ fields: FieldReader) {
        guard LegacyConfiguration.recognizes(fields) else {
            _ = fields.required("apiVersion")
            _ = fields.required("kind")
            return
        }
        add(LegacyConfiguration.read(fields))
    }

    /// The older configuration comes as text in a ConfigMap `config` under the key `config`.
    private mutating func readOlderConfiguration(in fields: FieldReader, _ metadata: ObjectMeta) {
        guard metadata.name.name == "config", case .mapping? = fields.value("data")?.node,
            let value = fields.reader("data")?.value("config"),
            case .scalar(let scalar) = value.node,
            LegacyConfiguration.recognizes(text: scalar.string)
        else { return }
        // The text of a block begins on the line after its indicator; its own first line is 1.
        let isBlock = scalar.style == .block
        let offset = fields.log.lineOffset + (value.line ?? 1) - (isBlock ? 0 : 1)
        let file = result.file
        var logs: [ProblemLog] = []
        var legacy: [LegacyEntries] = []
        let unparsable = YAMLDocuments.read(
            scalar.string, file: file, lineOffset: offset
        ) { root, lineOffset in
            guard case .mapping(let mapping) = root else { return }
            let log = ProblemLog(
                file: file, lineOffset: lineOffset, object: fields.log.object)
            let inner = FieldReader(mapping, path: "", log: log)
            guard LegacyConfiguration.recognizes(inner) else { return }
            legacy.append(LegacyConfiguration.read(inner))
            logs.append(log)
        }
        result.problems += unparsable + logs.flatMap { $0.finish() }
        if !unparsable.isEmpty || logs.contains(where: \.hasErrors) {
            result.hasUnidentified = true
        }
        // One of another namespace than the configuration's is somebody else's.
        let namespace = metadata.name.namespace
        for entries in legacy { add(entries, in: namespace == "default" ? "" : namespace) }
    }

    private typealias LegacyEntries = (
        entries: [ConfigurationInput.Entry], refused: Set<ConfigurationObject.Reference>
    )

    private mutating func add(_ legacy: LegacyEntries, in namespace: String = "") {
        for entry in legacy.entries {
            var metadata = entry.object.metadata
            metadata.name = ObjectName(namespace: namespace, metadata.name.name)
            let object = entry.object.with(metadata)
            let reference = object.reference
            result.objects.append(
                ManifestObject(
                    reference: ManifestObject.Reference(
                        kind: reference.kind.rawValue, name: reference.name),
                    value: .configuration(object), file: entry.file, line: entry.line,
                    fieldLines: entry.fieldLines))
        }
        for reference in legacy.refused {
            result.refused.insert(
                ManifestObject.Reference(
                    kind: reference.kind.rawValue,
                    name: ObjectName(namespace: namespace, reference.name.name)))
        }
    }
}

extension LegacyConfiguration {
    /// Whether a ConfigMap's text is meant to be the older configuration, well-formed or not.
    fileprivate static func recognizes(text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { line in
            ["peers:", "address-pools:"].contains { line.hasPrefix($0) }
        }
    }
}
