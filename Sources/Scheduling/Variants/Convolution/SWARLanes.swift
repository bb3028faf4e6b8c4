/// Two output columns that share a word: lanes of 16 bits whose sums never leave them, so that one 32-bit addition serves
/// both.
package struct Lanes: Sendable, Equatable {
  /// Input columns between the lanes of a word: those between the output columns that share one.
  package var distance: Int
  /// Words of the layer's row before a pool. Of an odd width the last high lane is computed and never looked at.
  package var outputs: Int
  /// Added to both lanes of an accumulator, so that none is ever negative.
  package var guardBias: Int
  /// What the epilogue has to subtract first; the rest has disappeared in its offsets.
  package var remainingGuardBias: Int

  /// `guardBias` in both lanes.
  package var guardWord: Int { guardBias << 16 | guardBias }
  /// What an epilogue's accumulators have been biased by.
  package var guardInEpilogue: Int { guardBias - remainingGuardBias }

  /// Words of an output row.
  package func words(_ geometry: Geometry) -> Int { outputs / geometry.poolWidth }

  /// Words of two columns each are made of bytes; of an odd width the last high lane sees what is nobody's.
  func widenedColumns(_ terms: ConvolutionTerms) -> ColumnAccess {
    let window = terms.window
    let odd = 2 * outputs > terms.geometry.sums.width ? window.strideWidth : 0
    return .sharingHalo((outputs - 1) * window.strideWidth + window.kernelWidth + distance - odd)
  }

  /// What the emitted C relies on.
  func problems(_ terms: ConvolutionTerms, _ context: Context) -> [String] {
    let geometry = terms.geometry
    var found: [String] = []
    if 2 * outputs < geometry.sums.width - geometry.poolWidth + 1 || distance != outputs * geometry.window.strideWidth {
      found.append("lanes do not pair")
    }
    if context.input.layout.holdsWords, let producer = context.input.producer,
      case .words(let made) = Context(context.plan, producer).variant.makes, made != distance
    {
      found.append("its words are not those that are made")
    }
    return found
  }

  /// What is wrong with sums that stay in their lanes to the end.
  func rangeProblems(_ terms: ConvolutionTerms) -> [String] {
    let range = terms.epilogue.accumulators
    let isWithin =
      range.lowerBound + remainingGuardBias >= 0
      && range.upperBound + remainingGuardBias < 1 << (terms.geometry.isPooled ? 15 : 16)
    return isWithin ? [] : ["accumulators leave their lanes"]
  }

  /// The line of a comment that says what words are.
  func summary(_ sums: String = "sums") -> String {
    "Two lanes a word: columns x and x + \(distance), \(sums) biased by \(guardBias), so that none is negative."
  }
}
