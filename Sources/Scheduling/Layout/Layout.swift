import TernaryIR

/// How the values of a tensor are stored: what an element is, in which order elements follow one another, and what
/// padding is stored with them.
package struct Layout: Sendable, Equatable {
  package enum Element: Sendable, Equatable {
    case u8, u16, i16, i32
    /// Two SWAR lanes of 16 bits: columns `x` and `x + distance`, or of HWC rows `y` and `y + distance`.
    case swar2(distance: Int)
    /// Four SWAR lanes of 8 bits, columns `distance` apart.
    case swar4(distance: Int)
  }

  package enum Order: Sendable, Equatable {
    /// Row after row: all channels of a row after one another.
    case rows
    /// Channel after channel (CHW), each with all of its rows.
    case planes
    /// Position after position, all channels of one together.
    case hwc(HWCMap)
  }

  package var element: Element
  package var order = Order.rows
  /// Halo columns beside each row.
  package var left = 0
  package var right = 0
  /// Code of a padded position.
  package var paddingCode = 0
  /// Elements from a channel to the next.
  package var channelStride: Int
  /// Elements from a row to the next.
  package var rowStride: Int
  /// Bytes behind the last row that windows reach, or that are written with a map's last rows.
  package var tailBytes = 0
  /// Elements behind the last row. Sums of a whole number of vectors read them; nobody looks at what comes of it.
  package var slack = 0

  package var elementBytes: Int {
    switch element {
    case .u8: 1
    case .u16, .i16: 2
    case .i32, .swar2, .swar4: 4
    }
  }
  package var rowBytes: Int { rowStride * elementBytes }
  package var hasHalo: Bool { left + right > 0 }
  /// Whether an element holds several columns.
  package var holdsWords: Bool {
    switch element {
    case .swar2, .swar4: order == .rows
    case .u8, .u16, .i16, .i32: false
    }
  }
  /// Columns, or of HWC rows, between the lanes of a word; 0: one value an element.
  package var distance: Int {
    switch element {
    case .swar2(let distance), .swar4(let distance): distance
    case .u8, .u16, .i16, .i32: 0
    }
  }
  /// Bits of a lane; 0: one value an element.
  package var laneBits: Int {
    switch element {
    case .swar2: 16
    case .swar4: 8
    case .u8, .u16, .i16, .i32: 0
    }
  }
  package var cType: String {
    switch element {
    case .u8: "uint8_t"
    case .u16: "uint16_t"
    case .i16: "int16_t"
    case .i32: "int32_t"
    case .swar2, .swar4: "uint32_t"
    }
  }

  /// A word that holds a code in all of its lanes, as a C constant; of bytes a word of four.
  package func word(_ code: Int) -> String {
    let isPair = if case .swar2 = element { true } else { false }
    let word = isPair ? code << 16 | code : code << 24 | code << 16 | code << 8 | code
    return word == 0 ? "0" : "0x" + String(word, radix: 16, uppercase: true)
  }
}
