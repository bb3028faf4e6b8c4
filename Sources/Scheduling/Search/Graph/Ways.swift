import TernaryIR

/// What a site needs of a tensor that it reads.
struct EdgeNeed: Sendable, Equatable {
  enum Form: Sendable, Equatable {
    case bytes
    /// 16-bit sums of an average pool.
    case sums
    /// Words of two columns.
    case words(distance: Int)
  }

  var form: Form
  /// Halo columns.
  var left = 0
  var right = 0
  /// Words of a channel's row, behind the halo on the left.
  var reach = 0
  /// Code of padding, where any is stored.
  var padding: Int?
  /// Whether windows are read as one block, so that rows of padding are stored too.
  var isBlock = false
  /// Whether a channel's right halo may be the left one of the next.
  var sharesHalo = false
  /// Whether nothing but the values of the map may be there.
  var isExact = false
}

/// A way to compute a site.
struct Way: Sendable {
  enum Kind: Sendable, Equatable {
    case plain
    /// Packed weights or unrolled ones over words of two lanes.
    case packed, unrolled
    /// Unrolled weights over rows of bytes, that become words as they are read.
    case widened
  }

  var kind: Kind
  var needs: [EdgeNeed]
  var makes: RowElements
}

extension Site {
  /// Ways to compute it, the fastest first.
  func ways(_ tensors: [Int: SiteTensor], _ options: PlanningOptions) -> [Way] {
    switch kind {
    case .add:
      let width = (geometry.output.width + 1) / 2
      let bytes = Way(kind: .plain, needs: inputs.map { _ in EdgeNeed(form: .bytes) }, makes: .values)
      guard options.usesLanes, options.core != .host, geometry.output.width > 1 else { return [bytes] }
      let words = EdgeNeed(form: .words(distance: width), reach: width)
      return [Way(kind: .packed, needs: inputs.map { _ in words }, makes: .words(width)), bytes]
    case .concatenate, .slice, .resize:
      return [Way(kind: .plain, needs: inputs.map { _ in EdgeNeed(form: .bytes) }, makes: .values)]
    case .window(let draft): return ways(draft, tensors[inputs[0]]?.zeroCode ?? 0, options)
    }
  }

  private func ways(_ draft: Draft, _ zeroCode: Int, _ options: PlanningOptions) -> [Way] {
    let window = draft.window
    var plain = EdgeNeed(form: draft.input.elementBytes == 2 ? .sums : .bytes, left: window.left, right: window.right)
    // Rows of padding are added up by their code, too; those of a max pool are passed over.
    let isStored = if case .maxPool = draft.work { window.left + window.right > 0 } else { window.hasPadding }
    if isStored { plain.padding = draft.lineBuffer.paddingCode }
    guard case .convolution = draft.work else {
      if case .dense = draft.work { plain.isExact = true }
      return [Way(kind: .plain, needs: [plain], makes: .values)]
    }
    let packedBytes = Way(kind: .plain, needs: [plain], makes: .values)
    guard options.usesLanes, options.core != .host, let lanes = Scheduler.lanes(of: draft) else { return [packedBytes] }
    var found: [Way] = []
    var words = plain
    words.form = .words(distance: lanes.distance)
    words.reach = Scheduler.words(draft, lanes) - window.left
    words.isBlock = true
    let makes = lanes.partTaps == nil ? RowElements.words(lanes.outputs / draft.geometry.poolWidth) : .values
    if options.goal == .speed, lanes.partTaps == nil {
      found.append(Way(kind: .unrolled, needs: [words], makes: makes))
      var bytes = words
      bytes.form = .bytes
      bytes.sharesHalo = true
      // Of an odd width the last high lane sees what is nobody's.
      bytes.reach = (lanes.outputs - 1) * window.strideWidth + window.kernelWidth + lanes.distance
      found.append(Way(kind: .widened, needs: [bytes], makes: makes))
    } else {
      found.append(Way(kind: .packed, needs: [words], makes: makes))
    }
    return found + [packedBytes]
  }
}
