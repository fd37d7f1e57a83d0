import Formats
import Tensor

/// Random changes of brightness, contrast, saturation and hue, in random order: torchvision's `ColorJitter`, on images
/// of 8 bits.
///
/// The factors of brightness, contrast and saturation are uniform in max(0, 1 − x) … 1 + x, the turn of the hue in
/// −x … x. What has x = 0 is left alone.
public struct ColorJitter: Sendable, Equatable {
  /// x of each change.
  public var brightness, contrast, saturation, hue: Double

  /// Traps on a negative x, and on a hue above ½.
  public init(brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0) {
    require(
      brightness >= 0 && contrast >= 0 && saturation >= 0 && 0...0.5 ~= hue,
      "colour jitter: expected ranges of 0 or more and a hue of at most 0.5, found \(brightness), \(contrast), "
        + "\(saturation), \(hue)")
    (self.brightness, self.contrast, self.saturation, self.hue) = (brightness, contrast, saturation, hue)
  }

  /// A change of colours.
  package enum Change: Int, CaseIterable, Sendable { case brightness, contrast, saturation, hue }

  /// Changes in their order, each with its factor or turn.
  package typealias Draw = [(change: Change, amount: Double)]

  /// Samples the order, then the four factors in the order of `Change`, whether they are used or not.
  package func draw(using generator: inout some RandomNumberGenerator) -> Draw {
    var order = Change.allCases
    for last in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(last, UniformDraw.integer(below: last + 1, using: &generator))
    }
    let widths = [brightness, contrast, saturation, hue]
    let amounts = Change.allCases.map { change in
      let width = widths[change.rawValue]
      let range = change == .hue ? -width...width : max(0, 1 - width)...1 + width
      return UniformDraw.real(in: range, using: &generator)
    }
    return order.filter { widths[$0.rawValue] > 0 }.map { ($0, amounts[$0.rawValue]) }
  }

  /// The image after a draw of its own.
  package func applied(to image: Image, using generator: inout some RandomNumberGenerator) -> Image {
    image.changed(by: draw(using: &generator))
  }
}

extension Image {
  /// The image after some changes of its colours, one after another.
  package func changed(by draw: ColorJitter.Draw) -> Image {
    draw.reduce(self) { image, step in
      switch step.change {
      case .brightness: image.brightened(by: step.amount)
      case .contrast: image.contrasted(by: step.amount)
      case .saturation: image.saturated(by: step.amount)
      case .hue: image.hueTurned(by: step.amount)
      }
    }
  }
}

/// A view of an image for contrastive learning: a random crop, mirrored or not, often with other colours, sometimes in
/// greys (Chen et al. 2020, *SimCLR*, with the strengths of Khosla et al. 2020).
public struct ContrastiveView: Sendable, Equatable {
  /// The crop and flip.
  public var crop: RandomResizedCrop
  /// The change of colours.
  public var jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)
  /// The probability of that change.
  public var jitterProbability = 0.8
  /// The probability of greys.
  public var greyProbability = 0.2

  /// Views with the given crops.
  public init(crop: RandomResizedCrop) { self.crop = crop }

  /// A view of the image: the draws of the crop, one number for the jitter and its draws if that is below
  /// `jitterProbability`, one number for the greys.
  package func applied(to image: Image, using generator: inout some RandomNumberGenerator) -> Image {
    var view = crop.applied(to: image, using: &generator)
    if UniformDraw.real(using: &generator) < jitterProbability { view = jitter.applied(to: view, using: &generator) }
    return UniformDraw.real(using: &generator) < greyProbability ? view.inGreys() : view
  }
}
