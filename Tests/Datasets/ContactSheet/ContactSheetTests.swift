import Formats
import Testing

@testable import Datasets

@Suite("Contact sheet") struct ContactSheetTests {
  private static func plain(_ value: UInt8, side: Int = 4) -> Image {
    Image(width: side, height: side, pixels: [UInt8](repeating: value, count: 3 * side * side))
  }

  private static func pixel(_ image: Image, _ x: Int, _ y: Int) -> UInt8 { image.pixels[3 * (y * image.width + x)] }

  @Test func everyPictureIsThereEnlargedAndApart() {
    let groups = [[10, 20, 30], [40, 50], [60]].map { values in
      ContactSheet.Group(label: "", images: values.map { Self.plain(UInt8($0)) })
    }
    let sheet = ContactSheet(groups, columns: 2, scale: 3).rendered()
    // 12 pixels a picture and 3 between them; a group is three pictures and 9 more wide.
    for (group, values) in [[10, 20, 30], [40, 50], [60]].enumerated() {
      for (index, value) in values.enumerated() {
        let (left, top) = (3 + group % 2 * 54 + 15 * index, 3 + group / 2 * (12 + 3 + 10 + 3))
        for (x, y) in [(0, 0), (11, 0), (0, 11), (11, 11)] {
          #expect(Self.pixel(sheet, left + x, top + y) == UInt8(value))
        }
        #expect(Self.pixel(sheet, left - 1, top) == 250 && Self.pixel(sheet, left, top - 1) == 250)
        #expect(Self.pixel(sheet, left + 12, top) == 250 && Self.pixel(sheet, left, top + 12) == 250)
      }
    }
  }

  @Test func everyPixelIsASquareOfItsColour() {
    let image = Image(width: 2, height: 3, pixels: (1...18).map { UInt8($0) })
    let sheet = ContactSheet([.init(label: "a", images: [image])], scale: 2).rendered()
    for row in 0..<6 {
      for column in 0..<4 {
        let (start, from) = (3 * ((3 + row) * sheet.width + 3 + column), 3 * (row / 2 * 2 + column / 2))
        #expect(sheet.pixels[start..<start + 3] == image.pixels[from..<from + 3], "\(row), \(column)")
      }
    }
  }

  @Test func labelIsWrittenBelowItsGroup() {
    let sheet = ContactSheet([.init(label: "i l", images: [Self.plain(90, side: 20)])], scale: 1).rendered()
    // Rows of the label begin three pixels below the picture; a letter is six pixels wide.
    let (left, top) = (3, 3 + 20 + 3)
    for (index, letter) in "i l".enumerated() {
      let drawn = Set((0..<48).filter { Self.pixel(sheet, left + 6 * index + $0 % 6, top + $0 / 6) == 40 })
      #expect(drawn == Set(BitmapFont.pixels(of: letter).map { $0.row * 6 + $0.column }), "\(letter)")
    }
  }

  @Test func longLabelsAreBrokenBetweenWords() {
    #expect(ContactSheet.lines("small red arrow", width: 9) == ["small red", "arrow"])
    #expect(ContactSheet.lines("permanent crop", width: 4) == ["permanent", "crop"])
    #expect(ContactSheet.lines("a b c", width: 5) == ["a b c"])
    #expect(ContactSheet.lines("", width: 5) == [])
  }

  @Test func aSheetIsAboutSquare() {
    let groups = (0..<40).map {
      ContactSheet.Group(label: "class \($0)", images: [Image](repeating: Self.plain(0, side: 32), count: 6))
    }
    let sheet = ContactSheet(groups).rendered()
    #expect((0.7..<1.5).contains(Double(sheet.width) / Double(sheet.height)))
  }

  @Test func lettersAndDigitsAreDrawnAndDiffer() {
    let drawn = "abcdefghijklmnopqrstuvwxyz0123456789".map { letter in
      Set(BitmapFont.pixels(of: letter).map { $0.row * 10 + $0.column })
    }
    #expect(
      Set(drawn).count == 36 && drawn.allSatisfy { $0.count >= 7 && $0.allSatisfy { $0 / 10 < 8 && $0 % 10 < 5 } })
    #expect(BitmapFont.pixels(of: " ").isEmpty && BitmapFont.pixels(of: "É").isEmpty)
  }
}
