import Sterna
import TestSupport
import Testing

@testable import FirmwarePlanning

@Suite struct ArenaAllocatorTests {
  /// Up to 12 buffers over up to 6 segments, the first of them pinned and alive throughout.
  private static func buffers(_ generator: inout SplitMix64) -> [Buffer] {
    let segments = generator.pick(1...6)
    let pinned = Buffer(
      name: "pinned", kind: .counters, bytes: generator.pick(1...9), firstSegment: 0, lastSegment: segments - 1,
      offset: 0)
    return [pinned]
      + (1...generator.pick(1...12)).map { index in
        let first = generator.pick(0...(segments - 1))
        return Buffer(
          name: "\(index)", kind: .ring,
          bytes: generator.chance(20) ? generator.pick(1...4000) : generator.pick(1...60),
          firstSegment: first, lastSegment: generator.pick(first...(segments - 1)), offset: -1)
      }
  }

  @Test func buffersNeverOverlapWhileBothLive() {
    var generator = SplitMix64(seed: 7)
    var tight = 0
    for _ in 0..<2000 {
      var buffers = Self.buffers(&generator)
      let size = ArenaAllocator.place(&buffers, pinned: 1)
      #expect(buffers[0].offset == 0)
      for (i, a) in buffers.enumerated() {
        #expect(a.offset >= 0 && a.offset % 4 == 0 && a.offset + a.bytes <= size)
        for b in buffers[(i + 1)...] { #expect(!a.overlaps(b)) }
      }
      // The bound, counted byte by byte of life rather than by the allocator's own sum.
      let bound =
        (0...5).map { segment in
          buffers.reduce(0) { $0 + (($1.firstSegment...$1.lastSegment).contains(segment) ? ($1.bytes + 3) / 4 * 4 : 0) }
        }.max() ?? 0
      #expect(ArenaAllocator.lowerBound(buffers) == bound)
      #expect(size >= bound)
      if size == bound { tight += 1 }
    }
    #expect(tight > 1400, "only \(tight) of 2000 arenas meet their lower bound")
  }

  @Test func equalBuffersKeepTheirOrder() {
    func buffer(_ name: String) -> Buffer {
      Buffer(name: name, kind: .ring, bytes: 8, firstSegment: 0, lastSegment: 0, offset: 0)
    }
    var buffers = [buffer("pinned"), buffer("a"), buffer("b"), buffer("c")]
    #expect(ArenaAllocator.place(&buffers, pinned: 1) == 32)
    #expect(buffers.map(\.offset) == [0, 8, 16, 24])
  }

  @Test func deadBuffersMakeRoom() {
    func buffer(_ bytes: Int, _ life: ClosedRange<Int>) -> Buffer {
      Buffer(
        name: "", kind: .tensor, bytes: bytes, firstSegment: life.lowerBound, lastSegment: life.upperBound, offset: 0)
    }
    var buffers = [buffer(4, 0...2), buffer(100, 0...1), buffer(60, 1...2), buffer(90, 2...2)]
    #expect(ArenaAllocator.place(&buffers, pinned: 1) == 164)
    #expect(ArenaAllocator.lowerBound(buffers) == 164)
    #expect(buffers.map(\.offset) == [0, 4, 104, 4])
  }
}
