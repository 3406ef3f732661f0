/// A selection of objects by label: all of `matchLabels` and all of `matchExpressions` must hold
/// (`metav1.LabelSelector`). The empty selector matches everything.
public struct LabelSelector: Hashable, Sendable {
    /// One requirement on one label.
    public struct Requirement: Hashable, Sendable {
        /// How the label's value is judged.
        public enum Operator: String, Hashable, Sendable, CaseIterable {
            /// The value is one of the list.
            case isIn = "In"
            /// The label is absent, or its value is none of the list.
            case notIn = "NotIn"
            /// The label is present.
            case exists = "Exists"
            /// The label is absent.
            case doesNotExist = "DoesNotExist"
        }

        /// The label's key.
        public var key: String
        /// The judgement.
        public var `operator`: Operator
        /// The values for `In` and `NotIn`; empty for the others.
        public var values: [String]

        /// Makes a requirement.
        public init(key: String, operator: Operator, values: [String] = []) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        /// Whether the labels meet the requirement.
        public func matches(_ labels: [String: String]) -> Bool {
            switch `operator` {
            case .isIn: labels[key].map(values.contains) ?? false
            case .notIn: labels[key].map { !values.contains($0) } ?? true
            case .exists: labels[key] != nil
            case .doesNotExist: labels[key] == nil
            }
        }
    }

    /// Labels that must be present with exactly these values.
    public var matchLabels: [String: String]
    /// Further requirements.
    public var matchExpressions: [Requirement]

    /// Makes a selector; without arguments it matches everything.
    public init(matchLabels: [String: String] = [:], matchExpressions: [Requirement] = []) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }

    /// Whether the labels meet every requirement.
    public func matches(_ labels: [String: String]) -> Bool {
        matchLabels.allSatisfy { labels[$0.key] == $0.value }
            && matchExpressions.allSatisfy { $0.matches(labels) }
    }
}
