import Kubernetes
import Testing

@Suite("Mirror of objects")
struct ObjectMirrorTests {
    var mirror = ObjectMirror(resource: .services)

    static func object(_ name: String, _ version: String) -> APIObject {
        APIObject(
            reference: .init(kind: "Service", name: ObjectName(namespace: "shop", name)),
            resourceVersion: version, value: nil)
    }

    static func reference(_ name: String) -> ManifestObject.Reference {
        object(name, "1").reference
    }

    /// Changes as `name=version`, or `-name` for a deletion.
    static func text(_ changes: [ObjectMirror.Change]) -> [String] {
        changes.map { reference, object in
            object.map { "\(reference.name.name)=\($0.resourceVersion)" }
                ?? "-\(reference.name.name)"
        }
    }

    mutating func changed(_ name: String, _ version: String) -> [String] {
        Self.text(mirror.accept(.changed(Self.object(name, version))))
    }

    mutating func deleted(_ name: String, _ version: String) -> [String] {
        Self.text(mirror.accept(.deleted(Self.reference(name), resourceVersion: version)))
    }

    mutating func written(_ name: String, _ version: String) -> [String] {
        Self.text(mirror.accept(written: Self.object(name, version)))
    }

    mutating func page(_ objects: [(String, String)]) -> [String] {
        let page = ObjectPage(objects: objects.map { Self.object($0, $1) }, resourceVersion: "")
        return Self.text(mirror.accept(page))
    }

    mutating func finish(_ version: String) -> [String] {
        Self.text(mirror.finishReplacing(at: version))
    }

    /// Has a, b and c of the versions 10, 20 and 30 as of 50.
    mutating func fill() {
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("b", "20"), ("c", "30")]) == ["a=10", "b=20", "c=30"])
        #expect(finish("50") == [])
    }

    @Test mutating func `a first list takes effect as it comes`() {
        fill()
        #expect(mirror.count == 3)
        #expect(mirror.resourceVersion == "50")
        #expect(mirror.version(of: ObjectName(namespace: "shop", "b")) == "20")
    }

    @Test mutating func `duplicates and stale events are dropped`() {
        fill()
        #expect(changed("a", "60") == ["a=60"])
        #expect(changed("a", "60") == [])
        #expect(changed("a", "9") == [])
        #expect(changed("a", "100") == ["a=100"], "9 is older than 60, and 100 is not")
        #expect(deleted("b", "19") == [], "the deletion of an earlier object of that name")
        #expect(deleted("b", "61") == ["-b"])
        #expect(deleted("b", "61") == [])
        #expect(changed("b", "20") == [], "it was deleted later")
        #expect(changed("b", "62") == ["b=62"], "and was made again")
        #expect(mirror.count == 3)
    }

    @Test mutating func `events out of order lose nothing`() {
        fill()
        #expect(changed("d", "65") == ["d=65"])
        #expect(changed("e", "63") == ["e=63"])
        #expect(deleted("e", "64") == ["-e"])
    }

    @Test mutating func `an echo of our own write is dropped, whichever comes first`() {
        fill()
        #expect(written("a", "70") == ["a=70"])
        #expect(changed("a", "70") == [])
        #expect(changed("b", "71") == ["b=71"])
        #expect(written("b", "71") == [])
        #expect(deleted("c", "73") == ["-c"])
        #expect(written("c", "72") == [], "its answer comes after the news of its deletion")
        let name = Self.reference("a").name
        #expect(Self.text(mirror.accept(deleted: name, resourceVersion: "74")) == ["-a"])
        #expect(deleted("a", "74") == [])
    }

    @Test mutating func `a list yields what differs and deletes what it lacks`() {
        fill()
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("d", "60")]) == ["d=60"])
        #expect(page([("b", "55")]) == ["b=55"])
        #expect(finish("61") == ["-c"])
        #expect(mirror.count == 3)
        #expect(changed("c", "30") == [], "late news of what is gone")
    }

    @Test mutating func `a stale list changes nothing before it is believed`() {
        fill()
        #expect(changed("a", "60") == ["a=60"])
        #expect(deleted("b", "61") == ["-b"])
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("b", "20"), ("c", "30"), ("x", "40")]) == [])
        mirror.abandonReplacing()
        #expect(mirror.count == 2)
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("b", "20"), ("x", "40")]) == [])
        #expect(finish("50") == ["a=10", "b=20", "x=40", "-c"], "the store was restored")
        #expect(mirror.resourceVersion == "50")
        #expect(changed("c", "51") == ["c=51"], "though something of 61 was seen before")
    }

    @Test mutating func `a list that breaks off deletes nothing, and the next one makes up for it`()
    {
        fill()
        mirror.beginReplacing()
        #expect(page([("d", "60")]) == ["d=60"])
        mirror.abandonReplacing()
        #expect(mirror.count == 4)
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("b", "20")]) == [])
        #expect(finish("70") == ["-c", "-d"])
    }

    @Test mutating func `what we wrote while a list was made is not undone by it`() {
        fill()
        mirror.beginReplacing()
        #expect(written("a", "81") == ["a=81"])
        #expect(written("new", "82") == ["new=82"])
        #expect(
            Self.text(mirror.accept(deleted: Self.reference("b").name, resourceVersion: "83"))
                == ["-b"])
        #expect(page([("a", "10"), ("b", "20"), ("c", "30")]) == [])
        #expect(finish("80") == [])
        #expect(mirror.count == 3)
        #expect(changed("a", "81") == [])
        #expect(changed("new", "82") == [])
        #expect(deleted("b", "83") == [])
        mirror.beginReplacing()
        #expect(written("z", "85") == ["z=85"])
        #expect(page([("a", "81"), ("c", "30")]) == [])
        #expect(finish("90") == ["-new", "-z"], "this list is younger than those writes")
    }

    @Test mutating func `changes in the middle of a streaming list count`() {
        fill()
        mirror.beginReplacing()
        #expect(changed("a", "10") == [])
        #expect(changed("b", "20") == [])
        #expect(changed("c", "30") == [])
        #expect(deleted("a", "91") == ["-a"])
        #expect(changed("b", "92") == ["b=92"])
        #expect(finish("95") == [])
        #expect(mirror.count == 2)
    }

    @Test mutating func `what an earlier process knew is not told again`() {
        mirror.restore([Self.object("a", "10"), Self.object("b", "20")])
        mirror.beginReplacing()
        #expect(page([("a", "10"), ("c", "15"), ("d", "21")]) == ["d=21"])
        #expect(finish("40") == ["c=15", "-b"])
    }

    @Test mutating func `versions that are no numbers are taken when they differ`() {
        mirror.beginReplacing()
        #expect(page([("a", "x1"), ("b", "x2")]) == ["a=x1", "b=x2"])
        #expect(finish("x9") == [])
        #expect(changed("a", "x1") == [])
        #expect(changed("a", "x3") == ["a=x3"])
        #expect(deleted("b", "x4") == ["-b"])
        mirror.beginReplacing()
        #expect(page([("a", "x3"), ("c", "x5")]) == ["c=x5"])
        #expect(finish("x9") == [])
        #expect(mirror.count == 2)
    }

    @Test mutating func `ten thousand deletions take no more room than a thousand`() {
        mirror.beginReplacing()
        _ = finish("1")
        for number in 0..<10_000 {
            _ = changed("s\(number)", "\(2 * number + 10)")
            _ = deleted("s\(number)", "\(2 * number + 11)")
        }
        #expect(mirror.count == 0)
        #expect(mirror.rememberedDeletions == 1024)
        for number in 0..<10_000 {
            #expect(changed("s\(number)", "\(2 * number + 10)") == [], "s\(number) came back")
        }
        #expect(changed("s0", "30000") == ["s0=30000"])
    }
}
