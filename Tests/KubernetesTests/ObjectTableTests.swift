import Kubernetes
import Testing

@Suite struct ObjectTableTests {
    private func name(_ number: Int) -> ObjectName {
        ObjectName(namespace: "shop", "web-\(number)")
    }

    @Test("a table holds what a dictionary would, and tells what changed", arguments: 1...20)
    func model(seed: UInt64) {
        var state = seed
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var table = ObjectTable<Int>()
        var model: [ObjectName: Int] = [:]
        for _ in 0..<40 {
            let (formerTable, former) = (table, model)
            for _ in 0..<below(20) {
                let name = name(below(600))
                let value = below(3) == 0 ? nil : below(4)
                table[name] = value
                model[name] = value
            }
            #expect(table.count == model.count && table.isEmpty == model.isEmpty)
            #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.key, $0.value) }) == model)
            #expect(Set(table.keys) == Set(model.keys))
            #expect(table.values.sorted() == model.values.sorted())
            #expect(table == ObjectTable(model))
            #expect((table == formerTable) == (model == former))
            let changed = Set(model.keys).union(former.keys).filter { model[$0] != former[$0] }
            #expect(table.differences(from: formerTable) == changed)
            #expect(formerTable.differences(from: table) == changed)
            #expect(table.contains(name(7)) == (model[name(7)] != nil))
            #expect(table.withValue(of: name(7)) { $0 } == model[name(7)])
        }
    }

    @Test func `a copy keeps what it was copied from`() {
        var table: ObjectTable<[Int]> = [name(1): [1], name(2): [2]]
        let copy = table
        table[name(1), default: []].append(9)
        table[name(3), default: []].append(3)
        table[name(2)] = nil
        #expect(copy == [name(1): [1], name(2): [2]])
        #expect(table == [name(1): [1, 9], name(3): [3]])
    }

    @Test func `tables that came to the same by different ways are equal`() {
        var emptied: ObjectTable<Int> = [name(1): 1]
        emptied[name(1)] = nil
        #expect(emptied == ObjectTable())
        #expect(ObjectTable().differences(from: emptied).isEmpty)
        #expect(emptied.differences(from: [name(1): 1]) == [name(1)])
    }
}
