extension FieldValue {
    /// A label selector. Unknown fields are errors, so that a slip never widens a selection.
    func labelSelector() -> LabelSelector? {
        guard let reader = reader() else { return nil }
        var selector = LabelSelector()
        selector.matchLabels = reader.value("matchLabels")?.labels() ?? [:]
        for expression in reader.readers("matchExpressions") {
            if let requirement = expression.labelRequirement() {
                selector.matchExpressions.append(requirement)
            }
        }
        reader.finish()
        return selector
    }

    /// A mapping of labels, with the API's rules for keys and values.
    func labels() -> [String: String]? {
        guard let reader = reader() else { return nil }
        var labels: [String: String] = [:]
        for (key, value) in reader.takeAll() {
            if !NameRules.isQualifiedName(key) {
                value.fail(
                    "\"\(FieldValue.clip(key))\" is not a label key",
                    remedy: "use [prefix/]name with letters, digits, -, _ and ., 63 at most")
            }
            if value.isNull {
                labels[key] = ""
            } else if let text = value.string() {
                labels[key] = text
                if !NameRules.isLabelValue(text) {
                    value.fail(
                        "\"\(FieldValue.clip(text))\" is not a label value",
                        remedy: "use letters, digits, -, _ and ., 63 at most")
                }
            }
        }
        return labels
    }

    fileprivate func labelKey() -> String? {
        guard let key = string() else { return nil }
        if NameRules.isQualifiedName(key) { return key }
        fail(
            "\"\(FieldValue.clip(key))\" is not a label key",
            remedy: "use [prefix/]name with letters, digits, -, _ and ., 63 at most")
        return nil
    }
}

extension FieldReader {
    /// A list of label selectors; a selector named twice is an error.
    func labelSelectors(_ key: String) -> [LabelSelector] {
        var selectors: [LabelSelector] = []
        for value in list(key) {
            guard let selector = value.labelSelector() else { continue }
            if selectors.contains(selector) {
                value.fail("repeats an entry of the list", remedy: "remove one of the two")
            }
            selectors.append(selector)
        }
        return selectors
    }

    /// One entry of `matchExpressions`.
    func labelRequirement() -> LabelSelector.Requirement? {
        let key = required("key")?.labelKey()
        let kind: LabelSelector.Requirement.Operator? = required("operator")?.enumeration()
        let values = strings("values")
        finish()
        guard let key, let kind else { return nil }
        let takesValues = kind == .isIn || kind == .notIn
        if takesValues && values.isEmpty {
            fail(
                "values", "\(kind.rawValue) needs at least one value",
                remedy: "list the values, or use Exists or DoesNotExist")
        } else if !takesValues && !values.isEmpty {
            fail(
                "values", "\(kind.rawValue) takes no values",
                remedy: "remove values, or use In or NotIn")
        }
        return LabelSelector.Requirement(key: key, operator: kind, values: values)
    }
}
